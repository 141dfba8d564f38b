/*
 * repo_int.h - what the files repo*.c share
 */
#ifndef BATTEN_HISTORY_REPO_INT_H
#define BATTEN_HISTORY_REPO_INT_H

#include <git2.h>

#include "repo.h"

struct repo {
    struct root *dir; /* history.git */
    git_odb *odb;     /* owned by git */
    git_repository *git;
    git_tree *notes; /* that of commit NOTES_ID, read once for all notes */
    char notes_id[REPO_ID];
    size_t read; /* bytes and objects asked for, see repo_peek */
};

/* libgit2's last error as a diagnostic: STATUS_SYSTEM, code "history-failed". Returns -1. */
int repo_git_fail(const char *what, struct diag *d);

/* The object is damaged or made up: STATUS_REFUSED, code "history-damaged". Returns -1. */
int repo_damaged(const struct repo *repo, const char *id, const char *why, struct diag *d);

/* OID of the hex ID. */
int repo_oid(const char *id, git_oid *oid, struct diag *d);

/* The history asks for more than batten will do: STATUS_REFUSED, code "too-large". Returns -1. */
int repo_too_large(const struct repo *repo, const char *what, struct diag *d);

/* ID is an object of TYPE and not over REPO_OBJECT_MAX bytes, by its header alone. A few objects of
 * a hostile history can name each other so that reading them never ends: what is asked for through
 * one struct repo is bounded as a whole. */
int repo_peek(struct repo *repo, const git_oid *id, git_object_t type, struct diag *d);

/* The commit ID and its tree. Caller frees both. */
int repo_commit_lookup(struct repo *repo, const char *id, git_commit **commit, struct diag *d);
int repo_tree_lookup(struct repo *repo, const char *id, git_tree **tree, struct diag *d);

/* The blob of PATH below TREE, each step peeked at: ROOT_OK with *OID, ROOT_ABSENT, ROOT_ERROR. */
enum root_result repo_find(struct repo *repo, const git_tree *tree, const char *path, git_oid *oid,
                           struct diag *d);

#endif
