#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "batten/text.h"
#include "batten/who.h"
#include "txn_int.h"

static int64_t epoch(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    long long time = 0;

    if (text != NULL && text_number(text, 0, INT32_MAX * 4LL, &time) != 0)
        time = 0;
    return time;
}

void stamp_make(struct stamp *s, const struct root *root)
{
    time_t now;
    struct tm local;

    *s = (struct stamp){.name = BUF_INIT, .by = BUF_INIT};
    if (root_offline(root)) {
        buf_adds(&s->name, "batten");
        s->time = epoch();
        return;
    }
    who_describe(&s->name, &s->by);
    now = time(NULL);
    s->time = now;
    if (localtime_r(&now, &local) != NULL)
        s->offset = (int)(local.tm_gmtoff / 60);
}

void stamp_release(struct stamp *s)
{
    buf_release(&s->name);
    buf_release(&s->by);
}

void txn_log(const struct txn *t, const char *fmt, ...)
{
    struct buf text = BUF_INIT, safe = BUF_INIT;
    va_list ap;

    if (root_offline(t->root))
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    text_safe(&safe, buf_str(&text), text.len);
    openlog("batten", LOG_PID, LOG_AUTHPRIV);
    syslog(LOG_NOTICE, "%s", buf_str(&safe));
    closelog();
    buf_release(&text);
    buf_release(&safe);
}
