// physics/exec/calls_body.h, a template: operations one vector at a time, for machine code that has no instruction for them.
// Included after interp_body.h; INTERP_CALLS names the table.
#define X(name, text, signature)                                                              \
    static void call_##name(double *to, const double *a, const double *b)                     \
    {                                                                                         \
        v_store(to, v_op(name, v_load(a), v_load(b), v_set(0)));                              \
    }
GM_OP_LIST(X)
#undef X

void (*const INTERP_CALLS[GM_OP_COUNT])(double *, const double *, const double *) = {
#define X(name, text, signature) [name] = call_##name,
    GM_OP_LIST(X)
#undef X
};
