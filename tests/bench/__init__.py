"""How fast it is, beside a floor and beside others: `make bench`.

floor      a program without promises that does the least for the same work
workload   the migrations that all of them apply
subjects   what is measured, and how each is called
measured   a call's time, and what client and server computed meanwhile
wire       a proxy that counts round trips, and delays them
page       docs/performance.md
"""
