"""Rows go into an in-memory database by a cursor that no one reads again."""
# kind: DB side effects
# %%
import sqlite3
con = sqlite3.connect(":memory:")
con.execute("create table r(x real)")
# %%
con.execute("insert into r values (1.5)")
# %%
con.execute("select count(*) from r").fetchone()
# %%
cur = con.cursor()
cur.executemany("insert into r values (?)", [(2.5,), (3.5,)])
# %%
for (x,) in con.execute("select x from r order by x"):
    loss = x
