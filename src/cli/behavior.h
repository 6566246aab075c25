// cli/behavior.h: a Modelica file on the command line becomes a program that can be simulated or explained.
//
//   gm_behavior behavior;
//   gm_exit code = gm_behavior_open(cli, "tank.mo", NULL, false, &behavior);     // says what is wrong on cli->err
//   if (code == GM_EXIT_OK) code = gm_behavior_compile(cli, &behavior, NULL, &program);
//   gm_behavior_close(&behavior);
//
// The component library (library/*.mo, package Gemel) is there without being asked for.
#ifndef GM_CLI_BEHAVIOR_H
#define GM_CLI_BEHAVIOR_H

#include "cli/verb.h"
#include "physics/compile/compile.h"
#include "physics/modelica/modelica.h"

typedef struct gm_library_text { gm_str file, text; } gm_library_text;
const gm_library_text *gm_library_texts(size_t *out_count);  // static; made by library/embed.py

typedef struct gm_behavior {
    gm_modelica *texts;
    gm_flat     *flat;
    gm_diags     diags;
} gm_behavior;

// Reads the file or package folder and flattens the class (NULL: the last one of the file). strict: unit mismatches are
// errors. Warnings and errors are printed. The behavior must be closed in every case.
gm_exit gm_behavior_open(const gm_cli *cli, const char *path, const char *class_name, bool strict, gm_behavior *out);
gm_exit gm_behavior_compile(const gm_cli *cli, gm_behavior *behavior, const gm_compile_options *options, gm_program **out_program);
gm_exit gm_behavior_explain(const gm_cli *cli, gm_behavior *behavior);  // on cli->out
void    gm_behavior_close(gm_behavior *behavior);

#endif
