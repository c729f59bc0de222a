create table a (t text);
copy a /* ; */ from -- x
 stdin (format csv);