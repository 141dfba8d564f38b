#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"

static const int ending[] = {SIGINT, SIGHUP, SIGTERM, SIGQUIT};

static volatile sig_atomic_t caught;
static volatile sig_atomic_t stopped;

static void on_ending(int sig)
{
    caught = sig;
}

static void on_stop(int sig)
{
    (void)sig;
    stopped = 1;
}

int terminal_signal(void)
{
    return caught;
}

static void handle(int sig, void (*handler)(int), int flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&a.sa_mask);
    sigaction(sig, &a, NULL);
}

static bool is_ignored(int sig)
{
    struct sigaction now;

    return sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static bool is_ours(int sig)
{
    struct sigaction now;

    return sigaction(sig, NULL, &now) == 0 && now.sa_handler == on_ending;
}

/* Handlers run only inside ppoll, so that no signal is missed between a look at the flag and the
 * wait. A SIGHUP that was ignored from the start (nohup) stays so. */
static void take_signals(struct terminal *t)
{
    sigset_t block;

    sigemptyset(&block);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaddset(&block, ending[i]);
    sigaddset(&block, SIGTSTP);
    sigprocmask(SIG_BLOCK, &block, &t->mask);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        if (!is_ignored(ending[i]))
            handle(ending[i], on_ending, 0);
    t->stops = !is_ignored(SIGTSTP);
    if (t->stops)
        handle(SIGTSTP, on_stop, 0);
}

static void raw_mode(const struct terminal *t)
{
    struct termios now = t->before;

    if (t->lines)
        return;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

static void cooked_mode(const struct terminal *t)
{
    tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
}

int terminal_open(struct terminal *t, struct diag *d)
{
    const char *term = getenv("TERM");

    *t = (struct terminal){.lines = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0};
    caught = stopped = 0;
    if (tcgetattr(STDIN_FILENO, &t->before) != 0)
        return diag_set(d, STATUS_SYSTEM, "terminal", "cannot use the terminal: %s",
                        strerror(errno));
    take_signals(t);
    raw_mode(t);
    return 0;
}

void terminal_hold(struct terminal *t)
{
    cooked_mode(t);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        if (is_ours(ending[i]))
            handle(ending[i], on_ending, SA_RESTART);
    handle(SIGTSTP, SIG_IGN, 0);
    sigprocmask(SIG_SETMASK, &t->mask, NULL); /* what is started from here on inherits it */
    t->held = true;
}

void terminal_close(struct terminal *t)
{
    if (!t->held)
        cooked_mode(t);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        if (is_ours(ending[i]))
            handle(ending[i], SIG_DFL, 0);
    if (t->stops)
        handle(SIGTSTP, SIG_DFL, 0);
    sigprocmask(SIG_SETMASK, &t->mask, NULL);
}

/* Ctrl-Z: the shell gets its terminal as it was, and we get ours back afterwards. */
static void stop_here(struct terminal *t)
{
    sigset_t only;

    stopped = 0;
    cooked_mode(t);
    handle(SIGTSTP, SIG_DFL, 0);
    raise(SIGTSTP);
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, NULL); /* here it stops */
    sigprocmask(SIG_BLOCK, &only, NULL);
    handle(SIGTSTP, on_stop, 0);
    raw_mode(t);
}

/* 1: there is input; 0: MS are over; KEY_END, KEY_REDRAW. MS -1: no limit. */
static int wait_input(struct terminal *t, int ms)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    while (caught == 0) {
        int n = ppoll(&p, 1, ms < 0 ? NULL : &limit, &t->mask);

        if (stopped) {
            stop_here(t);
            return KEY_REDRAW;
        }
        if (n > 0)
            return 1;
        if (n == 0)
            return 0;
        if (errno != EINTR)
            break;
    }
    return KEY_END;
}

/* A byte of input, or what wait_input says. A terminal that hung up has no more bytes. */
static int get_byte(struct terminal *t, int ms)
{
    unsigned char c;
    int ready = wait_input(t, ms);

    if (ready != 1)
        return ready == 0 ? KEY_OTHER : ready;
    if (read(STDIN_FILENO, &c, 1) != 1)
        return KEY_END;
    return c;
}

/* Cursor keys come as ESC [ A or ESC O A, with parameters at times; nothing of such a sequence must
 * be taken for an answer. */
static int escape_sequence(struct terminal *t)
{
    enum { GAP_MS = 50 };
    int c = get_byte(t, GAP_MS);

    if (c != '[' && c != 'O')
        return c == KEY_END ? KEY_END : KEY_OTHER;
    do {
        c = get_byte(t, GAP_MS);
    } while (c >= 0x20 && c < 0x40);
    if (c == 'A')
        return 'k';
    if (c == 'B')
        return 'j';
    return c == KEY_END ? KEY_END : KEY_OTHER;
}

/* A character outside ASCII is one key, however many bytes it takes. */
static int other_character(struct terminal *t, int c)
{
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

    while (more-- > 0 && get_byte(t, 20) >= 0x80)
        ;
    return KEY_OTHER;
}

static int get_line(struct terminal *t, struct buf *out)
{
    enum { LONGEST = 4096 };

    buf_clear(out);
    for (;;) {
        int c = get_byte(t, -1);

        if (c == KEY_END || c == KEY_REDRAW)
            return c;
        if (c == '\n')
            return 0;
        if (out->len < LONGEST)
            buf_addc(out, (char)c);
    }
}

static int line_key(struct terminal *t, struct buf *rest)
{
    struct buf line = BUF_INIT;
    const char *at;
    int key = get_line(t, &line);

    if (key == 0) {
        at = buf_str(&line) + strspn(buf_str(&line), " \t\r");
        key = *at == '\0' ? KEY_ENTER : (unsigned char)*at;
        if (*at != '\0')
            buf_adds(rest, at + 1 + strspn(at + 1, " \t"));
        while (rest->len > 0 && strchr(" \t\r", rest->data[rest->len - 1]) != NULL)
            rest->data[--rest->len] = '\0';
    }
    buf_release(&line);
    return key;
}

int terminal_key(struct terminal *t, struct buf *rest)
{
    enum { END_OF_INPUT = 4, ESCAPE = 27 };
    int c;

    buf_clear(rest);
    if (t->lines)
        return line_key(t, rest);
    c = get_byte(t, -1);
    if (c == '\r')
        return KEY_ENTER;
    if (c == END_OF_INPUT)
        return 'q';
    if (c == ESCAPE)
        return escape_sequence(t);
    return c >= 0x80 ? other_character(t, c) : c;
}

int terminal_line(struct terminal *t, const char *prompt, struct buf *out)
{
    int result;

    terminal_print(prompt);
    cooked_mode(t);
    result = get_line(t, out);
    raw_mode(t);
    return result == 0 ? 0 : -1;
}

void terminal_forget(const struct terminal *t)
{
    (void)t;
    tcflush(STDIN_FILENO, TCIFLUSH);
}

static unsigned clamp(long long n, unsigned least, unsigned most)
{
    return n < least ? least : n > most ? most : (unsigned)n;
}

static long long from_environment(const char *name)
{
    const char *text = getenv(name);
    long long n = 0;

    return text != NULL && text_number(text, 1, 1000, &n) == 0 ? n : 0;
}

void terminal_size(unsigned *width, unsigned *height)
{
    struct winsize w = {0};
    long long columns, rows;

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
    columns = w.ws_col > 0 ? w.ws_col : from_environment("COLUMNS");
    rows = w.ws_row > 0 ? w.ws_row : from_environment("LINES");
    *width = clamp(columns > 0 ? columns : 80, 40, 400);
    *height = clamp(rows > 0 ? rows : 24, 10, 400);
}

void terminal_print(const char *text)
{
    for (size_t len = strlen(text); len > 0;) {
        ssize_t n = write(STDOUT_FILENO, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* the next wait for a key finds out why */
        text += n;
        len -= (size_t)n;
    }
}

/* The lines of TEXT up to ROWS of them; lines are made to fit the width by whoever made TEXT. */
static size_t one_page(const char *text, unsigned rows)
{
    const char *at = text;

    while (*at != '\0' && rows > 0) {
        at += strcspn(at, "\n");
        if (*at == '\n')
            at++;
        rows--;
    }
    return (size_t)(at - text);
}

static bool wants_more(struct terminal *t)
{
    struct buf rest = BUF_INIT;
    int key;

    terminal_print(t->lines ? "-- more (Enter, or q) -- " : "-- more (space, or q) -- ");
    key = terminal_key(t, &rest);
    buf_release(&rest);
    if (!t->lines)
        terminal_print("\r                         \r");
    return key != 'q' && key != KEY_END;
}

bool terminal_page(struct terminal *t, const char *text)
{
    unsigned width, height;

    terminal_size(&width, &height);
    while (*text != '\0') {
        size_t len = one_page(text, height - 2);
        char *page = mem_strndup(text, len);

        terminal_print(page);
        free(page);
        text += len;
        /* What fits below the last page needs no page of its own. */
        if (*text != '\0' && !wants_more(t))
            return false;
    }
    return true;
}
