# count.awk - count the tests of one program's TAP output
#
# Given file, status and limit. Prints, separated by tabs, 'counts' with the program's line and the
# number passed, then a line 'failed' or 'skipped' per test concerned: program, test and reason.

function trim(s)
{
    sub(/^[ \t-]+/, "", s)
    sub(/[ \t]+$/, "", s)
    return s
}

function fail(what)
{
    nfail++
    more[++nmore] = "failed\t" file "\t" what
}

/^[ \t]*1\.\.[0-9]+/ {
    sub(/^[ \t]*1\.\./, "")
    planned += $1 + 0
    next
}

# cmocka has no reason in its own line: a test says 'skip: REASON' before it skips.
/^(# )?skip: / {
    sub(/^(# )?skip: /, "")
    reason = trim($0)
    next
}

/^[ \t]*(not )?ok [0-9]+/ {
    seen++
    bad = $0 ~ /^[ \t]*not ok/
    name = $0
    sub(/^[ \t]*(not )?ok [0-9]+/, "", name)
    skip = match(tolower(name), /# skip/)
    if (skip) {
        said = trim(substr(name, RSTART + 6))
        name = trim(substr(name, 1, RSTART - 1))
        if (name == "") {
            name = said
            said = ""
        }
        if (said == "")
            said = reason
        if (said == "")
            fail(name ": skipped without a reason")
        else
            more[++nmore] = "skipped\t" file "\t" name ": " said
    } else if (bad) {
        fail(trim(name))
    } else {
        npass++
    }
    reason = ""
}

END {
    if (status == 124 || status == 137)
        fail("not done after " limit " s")
    else if (status != 0 && nfail == 0)
        fail("ended with status " status)
    else if (seen < planned)
        fail((planned - seen) " of its tests did not run")
    else if (seen == 0)
        fail("no test ran")
    line = (nfail ? "FAILED " : "ok ") file ": " npass + 0 " passed"
    if (nfail)
        line = line ", " nfail " failed"
    if (nmore > nfail)
        line = line ", " (nmore - nfail) " skipped"
    print "counts\t" line "\t" npass + 0
    for (i = 1; i <= nmore; i++)
        print more[i]
}
