-- Which objects are in question: those that are asked for, what this transaction has touched, and what prints the name of
-- one of these. Parameters: the oids of relations, functions and types ($1 to $3), and whether this transaction is looked at
-- ($4).
--
-- A transaction leaves three traces: rows of the catalog with its xmin (or that of a subtransaction, which is higher), locks
-- that only DDL takes (they tell of what is gone, too: a dropped constraint, trigger or policy locks its table), and the
-- server's count of the rows it has written to each catalog. What another session does has neither our xmin nor our
-- locks. The counts may be of a savepoint that was rolled back: then something is read for nothing.
catalogs as materialized (
  select
    c.oid as id, n.inserted + n.updated as versions,
    n.inserted + n.updated + n.deleted > 0 or n.uncounted as is_written,
    n.deleted > 0 or n.uncounted as has_deleted,
    n.updated + n.deleted > 0 or n.uncounted as has_lost
  from pg_class as c
  cross join lateral (
    select
      pg_stat_get_xact_tuples_inserted(c.oid) as inserted, pg_stat_get_xact_tuples_updated(c.oid) as updated,
      pg_stat_get_xact_tuples_deleted(c.oid) as deleted, not current_setting('track_counts')::boolean as uncounted
  ) as n
  where $4 and c.oid < 16384 and c.relkind = 'r' and c.relnamespace = 'pg_catalog'::regnamespace
),

taken as materialized (
  select coalesce(l.classid, 'pg_class'::regclass) as classid, coalesce(l.objid, l.relation) as objid, l.mode
  from pg_locks as l
  where $4 and l.pid = pg_backend_pid() and l.granted and l.locktype in ('relation', 'object')
    and l.mode not in ('AccessShareLock', 'RowShareLock')
    and l.database in (0, (select d.oid from pg_database as d where d.datname = current_database()))
),

-- The xmin of a row is not indexed: to look through pg_class, pg_attribute and pg_type takes the longer, the more tables
-- there are. But whatever writes there leaves a lock on nearly every relation: so rows are first looked for where locks
-- are. The server has counted how many versions of rows were written: where all are accounted for, no other row was.
near as materialized (
  select distinct t.objid as id
  from taken as t
  where t.classid = 'pg_class'::regclass and t.objid >= 16384
),

-- A row of a relation that this transaction has made may have had versions before: the first one has none of these marks,
-- and PostgreSQL sets each by an update of its own. (Indexes are left out: they are tied to a table, not to a schema.)
reached as materialized (
  select w.catalog, w.classid, w.objid, w.marks
  from (
    select
      'pg_class'::regclass::oid as catalog, 'pg_class'::regclass::oid as classid, x.oid as objid, age(x.xmin) as age,
      (x.reltoastrelid > 0)::int + x.relrowsecurity::int + x.relforcerowsecurity::int + x.relhastriggers::int
      + x.relhasrules::int + (x.relchecks > 0)::int + x.relhassubclass::int + x.relispartition::int as marks
    from near as n
    join pg_class as x on x.oid = n.id
    where age(x.xmin) <= 0
    union all
    select 'pg_attribute'::regclass, 'pg_class'::regclass, x.attrelid, age(x.xmin), x.atthasdef::int
    from near as n
    join pg_attribute as x on x.attrelid = n.id
    where age(x.xmin) <= 0
    union all
    select 'pg_type'::regclass, 'pg_type'::regclass, x.oid, age(x.xmin), 0
    from near as n
    join pg_class as c on c.oid = n.id
    join pg_type as r on r.oid = c.reltype
    join pg_type as x on x.oid in (r.oid, r.typarray)
    where age(x.xmin) <= 0
    union all
    -- What ties a relation to its schema is inserted when it is made: if it is ours, and not moved, the relation is.
    select 'pg_depend'::regclass, 'pg_class'::regclass, x.objid, age(x.xmin), 0
    from near as n
    join pg_depend as x on x.classid = 'pg_class'::regclass and x.objid = n.id and x.objsubid = 0
    where x.refclassid = 'pg_namespace'::regclass and age(x.xmin) <= 0
      and not (select c.has_lost from catalogs as c where c.id = 'pg_depend'::regclass)
  ) as w
  -- A transaction that began after ours may have committed since: its rows are newer, too.
  where w.age = 0
    or pg_xact_status((pg_current_xact_id()::text::bigint - w.age)::text::xid8) = 'in progress'
),

-- Where some are not accounted for: written elsewhere, as by GRANT, or in a savepoint that was rolled back, or twice.
unreached as materialized (
  select c.id
  from catalogs as c
  where c.id in ('pg_class'::regclass, 'pg_attribute'::regclass, 'pg_type'::regclass)
    and (
      c.has_deleted
      or c.versions <> (
        select
          count(*) + coalesce(sum(r.marks) filter (where r.objid in (
            select made.objid from reached as made where made.catalog = 'pg_depend'::regclass)), 0)
        from reached as r
        where r.catalog = c.id))
),

written as materialized (
  select r.classid, r.objid from reached as r where r.catalog <> 'pg_depend'::regclass
  union all
  select w.classid, w.objid
  from (
    select 'pg_class'::regclass::oid as classid, x.oid as objid, age(x.xmin) as age
    from pg_class as x
    where exists (select from unreached as u where u.id = 'pg_class'::regclass) and age(x.xmin) <= 0
    union all
    select 'pg_class'::regclass, x.attrelid, age(x.xmin)
    from pg_attribute as x
    where exists (select from unreached as u where u.id = 'pg_attribute'::regclass) and age(x.xmin) <= 0
    union all
    select 'pg_proc'::regclass, x.oid, age(x.xmin)
    from pg_proc as x
    where (select c.is_written from catalogs as c where c.id = 'pg_proc'::regclass) and age(x.xmin) <= 0
    union all
    select 'pg_type'::regclass, x.oid, age(x.xmin)
    from pg_type as x
    where exists (select from unreached as u where u.id = 'pg_type'::regclass) and age(x.xmin) <= 0
    union all
    select 'pg_type'::regclass, x.enumtypid, age(x.xmin)
    from pg_enum as x
    where (select c.is_written from catalogs as c where c.id = 'pg_enum'::regclass) and age(x.xmin) <= 0
    union all
    select 'pg_type'::regclass, x.contypid, age(x.xmin)
    from pg_constraint as x
    where (select c.is_written from catalogs as c where c.id = 'pg_constraint'::regclass)
      and x.contypid > 0 and age(x.xmin) <= 0
    union all
    select 'pg_class'::regclass, x.stxrelid, age(x.xmin)
    from pg_statistic_ext as x
    where (select c.is_written from catalogs as c where c.id = 'pg_statistic_ext'::regclass) and age(x.xmin) <= 0
    union all
    select x.classoid, x.objoid, age(x.xmin)
    from pg_description as x
    where (select c.is_written from catalogs as c where c.id = 'pg_description'::regclass) and age(x.xmin) <= 0
    union all
    select x.classoid, x.objoid, age(x.xmin)
    from pg_seclabel as x
    where (select c.is_written from catalogs as c where c.id = 'pg_seclabel'::regclass) and age(x.xmin) <= 0
  ) as w
  -- A transaction that began after ours may have committed since: its rows are newer, too.
  where w.age = 0
    or pg_xact_status((pg_current_xact_id()::text::bigint - w.age)::text::xid8) = 'in progress'
),

-- A platform may lock tables of its own for each policy: what is only locked, with no row of a catalog that belongs to it
-- written and none deleted anywhere, is as it was.
locked as materialized (
  select distinct t.classid, t.objid
  from taken as t
  left join pg_class as r on t.classid = 'pg_class'::regclass and r.oid = t.objid
  where t.mode <> 'RowExclusiveLock'
    and (
      r.oid is null
      or exists (
        select
        from catalogs as c
        where c.has_deleted
          and c.id in (
            'pg_constraint'::regclass, 'pg_index'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass,
            'pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_statistic_ext'::regclass, 'pg_inherits'::regclass,
            'pg_description'::regclass, 'pg_seclabel'::regclass))
      or exists (
        -- As one subquery: each on its own could be planned as a hash of the whole catalog.
        select
        from (
          select age(x.xmin) as age from pg_constraint as x where x.conrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_index as x where x.indrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_index as x where x.indexrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_trigger as x where x.tgrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_policy as x where x.polrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_rewrite as x where x.ev_class = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_attrdef as x where x.adrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_statistic_ext as x where x.stxrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_inherits as x where x.inhrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_inherits as x where x.inhparent = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_sequence as x where x.seqrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_foreign_table as x where x.ftrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age from pg_partitioned_table as x where x.partrelid = r.oid and age(x.xmin) <= 0
          union all
          select age(x.xmin) as age
          from pg_depend as x
          where x.classid = 'pg_class'::regclass and x.objid = r.oid and age(x.xmin) <= 0
        ) as w
        where w.age = 0
          or pg_xact_status((pg_current_xact_id()::text::bigint - w.age)::text::xid8) = 'in progress')
    )
),

start as materialized (
  select 'pg_class'::regclass::oid as classid, a.id as objid from unnest($1) as a (id)
  union
  select 'pg_proc'::regclass, a.id from unnest($2) as a (id)
  union
  select 'pg_type'::regclass, a.id from unnest($3) as a (id)
  union
  -- A table that is renamed gives its row type another name.
  select 'pg_type'::regclass, c.reltype from pg_class as c where c.oid = any ($1)
  union
  select w.classid, w.objid from written as w
  union
  select l.classid, l.objid from locked as l
),

-- What depends on it may print its name, or that of a column or an enum value.
wide as materialized (
  select s.classid, s.objid from start as s
  union
  select d.classid, d.objid
  from start as s
  join pg_depend as d on d.refclassid = s.classid and d.refobjid = s.objid
),

placed as materialized (
  select distinct p.kind, p.id
  from wide as w
  cross join lateral (
    select 'r' as kind, coalesce((select i.indrelid from pg_index as i where i.indexrelid = w.objid), w.objid) as id
    where w.classid = 'pg_class'::regclass and w.objid >= 16384
    union all
    select 't', c.reltype
    from pg_class as c
    where w.classid = 'pg_class'::regclass and c.oid = w.objid and c.relkind = 'c'
    union all
    select 'f', w.objid
    where w.classid = 'pg_proc'::regclass
    union all
    -- An array is part of its element, a multirange of its range.
    select 't',
      coalesce(
        (select e.oid from pg_type as e where e.oid = t.typelem and e.typarray = t.oid),
        (select r.rngtypid from pg_range as r where r.rngmultitypid = t.oid),
        t.oid)
    from (select w.objid as oid) as there
    left join pg_type as t on t.oid = there.oid
    where w.classid = 'pg_type'::regclass
    union all
    select 't', w.objid
    where w.classid = 'pg_type'::regclass
    union all
    select case when c.conrelid = 0 then 't' else 'r' end, case when c.conrelid = 0 then c.contypid else c.conrelid end
    from pg_constraint as c
    where w.classid = 'pg_constraint'::regclass and c.oid = w.objid
    union all
    select 'r', d.adrelid
    from pg_attrdef as d
    where w.classid = 'pg_attrdef'::regclass and d.oid = w.objid
    union all
    select 'r', r.ev_class
    from pg_rewrite as r
    where w.classid = 'pg_rewrite'::regclass and r.oid = w.objid
    union all
    select 'r', g.tgrelid
    from pg_trigger as g
    where w.classid = 'pg_trigger'::regclass and g.oid = w.objid
    union all
    select 'r', p.polrelid
    from pg_policy as p
    where w.classid = 'pg_policy'::regclass and p.oid = w.objid
    union all
    select 'r', s.stxrelid
    from pg_statistic_ext as s
    where w.classid = 'pg_statistic_ext'::regclass and s.oid = w.objid
    union all
    -- Schemas, extensions, publications, operators and what is PostgreSQL's own.
    select '', 0
    where w.classid not in (
        'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass,
        'pg_attrdef'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass,
        'pg_statistic_ext'::regclass)
      or (w.classid = 'pg_class'::regclass and w.objid < 16384)
  ) as p
  where p.id is not null and (p.kind <> 'r' or p.id >= 16384)
),

scope as materialized (
  select p.kind, p.id from placed as p
  union
  -- A constraint that is gone has left no trace of the domain it may have belonged to.
  select 't', x.oid
  from pg_type as x
  where (select c.has_deleted from catalogs as c where c.id = 'pg_constraint'::regclass)
    and x.typtype = 'd' and x.oid >= 16384
  union
  select '', 0
  where exists (
      select
      from catalogs as c
      where (c.is_written and c.id not in (
          'pg_class'::regclass, 'pg_attribute'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass,
          'pg_index'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass,
          'pg_inherits'::regclass, 'pg_partitioned_table'::regclass, 'pg_foreign_table'::regclass,
          'pg_sequence'::regclass, 'pg_proc'::regclass, 'pg_aggregate'::regclass, 'pg_type'::regclass,
          'pg_enum'::regclass, 'pg_range'::regclass, 'pg_depend'::regclass, 'pg_shdepend'::regclass,
          'pg_description'::regclass, 'pg_shdescription'::regclass, 'pg_seclabel'::regclass,
          'pg_statistic'::regclass, 'pg_statistic_ext'::regclass, 'pg_statistic_ext_data'::regclass,
          'pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass))
        or (c.has_deleted and c.id in ('pg_description'::regclass, 'pg_seclabel'::regclass)))
)
