alter type mood add value 'bad';
create table a (m mood default 'bad');