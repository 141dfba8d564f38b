/* render.h - text for people: diagnostics, tables, roles of colour */
#ifndef BATTEN_CLI_RENDER_H
#define BATTEN_CLI_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/plan.h"

struct cli;
struct follow_proof;
struct follow_result;
struct follow_signal;
struct history_edit;

/* 'batten: KIND: place: message', the line with a caret, and the hint. */
void render_diag(FILE *to, const char *kind, const struct diag *d);

/* A hint that is a batten command gets the --root and --history of this run. */
void render_hint_where(const struct cli *c, struct diag *d);

/* Each problem as a warning on stderr, unless -q. */
void render_problems(const struct cli *c, const struct problems *p);

/* Print what is in c->out so far, for what a person watches. */
void render_now(struct cli *c);

/* Colour by role; nothing where colour is off. Never the only carrier of meaning. */
enum role {
    ROLE_PLAIN,
    ROLE_DANGER,
    ROLE_WARN,
    ROLE_GOOD,
    ROLE_DIM,
    ROLE_HEAD,
    ROLE_ADD,
    ROLE_DEL
};
void render_role(struct buf *out, const struct cli *c, enum role role);
void render_text(struct buf *out, const struct cli *c, enum role role, const char *text);

/* A diff with its added and removed lines coloured, made safe for a terminal when it is one. */
void render_diff(struct buf *out, const struct cli *c, const char *diff, size_t len);

/* "23/tcp", "rpc/udp", "/run/x.sock", or "-" when nothing opens. Caller frees. */
char *render_port(const struct entry *e);
char *render_spec(const struct socket_spec *s);

/* TEXT safe and cut or padded to WIDTH columns; cut from the left when KEEP_END. */
void render_cell(struct buf *out, const char *text, size_t width, bool keep_end);

/* ' --root DIR --history DIR' as the run was given them, quoted for a shell. */
void render_where(struct buf *out, const struct cli *c);
void render_shell_word(struct buf *out, const char *word);

/* A time as a person reads it: local with offset. */
void render_time(struct buf *out, long long seconds);

/* The sentences of a plan, a line each. */
void render_consequences(struct cli *c, const struct plan *plan, const char *indent);

/* Edits, skips, consequences and diff of a plan; what a dry run shows. */
void render_plan(struct cli *c, const struct plan *plan, const char *diff);

/* What was left alone, and why. */
void render_skips(struct cli *c, const struct plan *plan);

void render_signal(struct cli *c, const struct follow_signal *s);
void render_proof(struct cli *c, const struct follow_proof *p);

/* Signals and proofs, one line each, but for those that were shown as they came. */
void render_follow(struct cli *c, const struct follow_result *r);

#endif
