create table a (t text);
copy a from stdin;
it's	\N
\.
