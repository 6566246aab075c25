// cli/help.h: the verbs' tables as text for the terminal, as Markdown (docs/cli.md) and as a manual page (docs/gemel.1).
// A test compares the two files with what is written here, so that they can not part.
#ifndef GM_CLI_HELP_H
#define GM_CLI_HELP_H

#include "base/buf.h"
#include "cli/verb.h"

void gm_help_program(gm_buf *out);                       // what `gemel --help` prints
void gm_help_verb(const gm_verb *verb, gm_buf *out);     // what `gemel VERB --help` prints
void gm_help_markdown(gm_buf *out);
void gm_help_man(gm_buf *out);

// "gemel 0.1.0", the compiler, and the libraries of this build.
void gm_help_version(gm_buf *out);
void gm_help_version_json(gm_buf *out);
gm_str gm_help_version_number(void);     // "0.1.0"
void gm_help_features(gm_buf *out);      // "libcurl 7.88.1, zlib 1.2.13"

#endif
