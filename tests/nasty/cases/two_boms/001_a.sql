﻿create table a ();
