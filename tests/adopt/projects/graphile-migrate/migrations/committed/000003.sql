--! Previous: sha1:13e637bff584f86609b0c9a4b7bf0d5f16ffba98
--! Hash: sha1:552f2dceb19b711e219be3d252df9fc893d0fd7e

insert into books values (1, 'One') on conflict do nothing;
