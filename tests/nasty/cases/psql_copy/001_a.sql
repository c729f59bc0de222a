create table a ();
\copy a from 'x.csv'
