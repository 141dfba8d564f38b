/*
 * history_int.h - what the files of src/history share
 */
#ifndef BATTEN_HISTORY_INT_H
#define BATTEN_HISTORY_INT_H

#include "batten/history.h"
#include "repo.h"

#define STATE_DIR "var/lib/batten"

struct history {
    struct root *root; /* borrowed: the host or image */
    enum history_mode mode;
    char *dir;          /* as a person names the state directory */
    bool made;          /* the state directory, by this run */
    bool given;         /* --history: DIR is a path of this host, not below the root */
    struct root *state; /* the state directory; NULL: absent */
    struct repo *repo;  /* opened when first asked for; NULL also: none yet */
};

/* The state directory, made when CREATE. h->state stays NULL when it is absent. */
int history_state(struct history *h, bool create, struct diag *d);

/* Remove the state directory if this run made it and it holds nothing: no change, and no file of
 * state besides. What was refused leaves no trace. */
void history_unmake(struct history *h);

/* The repository; *OUT is NULL when there is none and not CREATE. Borrowed. */
int history_repo(struct history *h, bool create, struct repo **out, struct diag *d);

/* The id of the newest commit: ROOT_OK, ROOT_ABSENT, ROOT_ERROR. */
enum root_result history_tip(struct history *h, char id[REPO_ID], struct diag *d);

/* The change numbered N out of LIST, or for 0 the newest that is not a rollback and has an edit in
 * effect; NULL when there is none. */
const struct history_change *history_find(const struct history_changes *list, unsigned n);

/* All changes from commit ID back, newest first, without their outcomes. */
int history_list_from(struct history *h, const char *id, struct history_changes *out,
                      struct diag *d);

/* Nothing is written: the parent of the commit of CHANGE, "" for none. */
int history_parent(struct history *h, const char *id, char parent[REPO_ID], struct diag *d);

/* The message of a change, and back. Every line but the subject is a trailer "Key: value". */
struct trailers {
    struct history_change change; /* by, profile, reason, kind, subject, edits ... */
    const char *version;
    bool reload; /* the super-server's files changed */
    struct strlist services;
};
void trailers_write(struct buf *out, const struct trailers *t);

/* Fill CHANGE from a commit's MESSAGE; anything not understood is left out. */
void trailers_read(struct history_change *change, const char *message);

/* True when the message has the trailer "Reload: inetd". */
bool trailers_reload(const char *message);

void history_change_release(struct history_change *c);

/*
 * Which edits are in effect. Edits that take each other back form a tree: its root is an edit of
 * batten's, below it the edits that took it back, put it back again ... Each one turns the lines to
 * the other side, so the newest of the tree says how they stand, and every edit of the tree on its
 * side is in effect.
 */
struct effect {
    const struct history_change *change;
    const struct history_edit *edit;
    unsigned index; /* of the edit in its change, from 1 */
    size_t root;    /* of the tree, an index into effects.v */
    size_t newest;  /* of the tree; kept at its root only */
    unsigned side;  /* 0: as the root left the lines; 1: taken back */
};

struct effects {
    struct effect *v; /* oldest change first */
    size_t n;
};

void effects_make(struct effects *out, const struct history_changes *changes);
void effects_release(struct effects *e);
bool effect_holds(const struct effects *e, size_t i); /* in effect */

/* The edit whose lines stand in the file when edit I is in effect. */
const struct effect *effect_anchor(const struct effects *e, size_t i);

#endif
