"""A database in a file: written by one connection, read by another."""
# kind: DB side effects
# %%
import sqlite3
def db(): return sqlite3.connect("exp.db")
# %%
with db() as c:
    c.execute("create table m(k text, v real)")
# %%
with db() as c:
    c.execute("insert into m values ('a', 0.5)")
# %%
with db() as c:
    c.execute("create table trash(z int)")
# %%
with db() as c:
    c.execute("update m set v = v * 4 where k = 'a'")
# %%
for (v,) in db().execute("select v from m"):
    loss = v
