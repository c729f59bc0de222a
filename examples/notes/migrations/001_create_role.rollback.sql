drop role notes_caller;
