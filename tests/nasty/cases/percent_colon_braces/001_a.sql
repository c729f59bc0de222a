create table a ();
select '%s', '100%', 5 % 3, '{{ x }}', ':x', '\', E'\\', 1::int, (array[1,2])[1:2], '$1', '?';
