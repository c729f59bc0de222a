create table a (n int);
create unique /* x */ index -- y
  concurrently i on a (n);