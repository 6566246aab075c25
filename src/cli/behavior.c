#include "cli/behavior.h"

// Prints what was found since the last time, and fits an exit code to it.
static gm_exit report(const gm_cli *cli, gm_behavior *behavior, gm_status st, const gm_error *err)
{
    gm_buf text = gm_buf_init(cli->alloc);
    gm_diags_write(&behavior->diags, &text);
    if (!text.failed && text.len > 0) fwrite(text.ptr, 1, text.len, cli->err);
    bool said = behavior->diags.errors > 0;
    gm_buf_finish(&text);
    gm_diags_finish(&behavior->diags);
    gm_diags_init(&behavior->diags, cli->alloc);
    if (st == GM_OK) return GM_EXIT_OK;
    return said ? GM_EXIT_NO : gm_cli_fail(cli, err);
}

static gm_status add_library(gm_behavior *behavior, gm_error *err)
{
    size_t                 count;
    const gm_library_text *texts = gm_library_texts(&count);
    for (size_t i = 0; i < count; i++) {
        gm_status st = gm_modelica_add(behavior->texts, texts[i].file, texts[i].text, &behavior->diags, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

gm_exit gm_behavior_open(const gm_cli *cli, const char *path, const char *class_name, bool strict, gm_behavior *out)
{
    gm_error err = { 0 };
    *out         = (gm_behavior){ 0 };
    gm_diags_init(&out->diags, cli->alloc);
    out->texts = gm_modelica_create(cli->alloc, &err);
    if (out->texts == NULL) return gm_cli_fail(cli, &err);
    gm_status st = add_library(out, &err);
    if (st == GM_OK) st = gm_modelica_add_path(out->texts, cli->io, path, &out->diags, &err);
    if (st != GM_OK) return report(cli, out, st, &err);

    gm_str name = class_name != NULL ? gm_str_of(class_name) : gm_modelica_last_class(out->texts);
    if (name.len == 0)
        return gm_cli_fail_text(cli, GM_EXIT_NO, "%.200s has no model, block or class in it; --class names one", path);
    gm_flatten_options options = { .strict_units = strict };
    st = gm_modelica_flatten(out->texts, name, &options, &out->diags, &out->flat, &err);
    return report(cli, out, st, &err);
}

gm_exit gm_behavior_compile(const gm_cli *cli, gm_behavior *behavior, const gm_compile_options *options, gm_program **out_program)
{
    gm_error  err = { 0 };
    gm_status st  = gm_compile(behavior->flat, cli->alloc, options, &behavior->diags, out_program, &err);
    return report(cli, behavior, st, &err);
}

gm_exit gm_behavior_explain(const gm_cli *cli, gm_behavior *behavior)
{
    gm_error  err  = { 0 };
    gm_buf    text = gm_buf_init(cli->alloc);
    gm_status st   = gm_model_explain(behavior->flat, cli->alloc, &behavior->diags, &text, &err);
    if (!text.failed && text.len > 0) fwrite(text.ptr, 1, text.len, cli->out);
    gm_buf_finish(&text);
    return report(cli, behavior, st, &err);
}

void gm_behavior_close(gm_behavior *behavior)
{
    gm_flat_destroy(behavior->flat);
    gm_modelica_destroy(behavior->texts);
    gm_diags_finish(&behavior->diags);
    *behavior = (gm_behavior){ 0 };
}
