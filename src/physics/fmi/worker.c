// The worker's loop and what both versions share. This process runs foreign code: whatever it breaks, it breaks here.
#include "physics/fmi/worker.h"

#include "physics/fmi/worker_parts.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int gm_fmu_worker_refuse(gm_fmu_worker *w, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(w->broken, sizeof w->broken, fmt, arguments);
    va_end(arguments);
    return GM_FMI_ERROR;
}

void gm_fmu_worker_log(gm_fmu_worker *w, int status, const char *category, const char *message)
{
    enum { MESSAGE_MAX = 4096 };
    gm_buf_clear(&w->frame);
    gm_fmu_put_u8(&w->frame, status >= 0 && status < GM_FMI_STATUS_COUNT ? (uint8_t)status : (uint8_t)GM_FMI_ERROR);
    gm_str texts[2] = { gm_str_of(category != NULL ? category : ""), gm_str_of(message != NULL ? message : "") };
    for (size_t i = 0; i < 2; i++) gm_fmu_put_text(&w->frame, gm_str_slice(texts[i], 0, MESSAGE_MAX));
    if (gm_fmu_send(w->fd, GM_FMU_FRAME_LOG, w->frame.ptr, w->frame.len, NULL) != GM_OK) _exit(0);
}

void *gm_fmu_worker_room(gm_fmu_worker *w, size_t n, size_t size)
{
    void *room = n <= GM_FMU_COUNT_MAX ? calloc(n + 1, size) : NULL;
    if (room == NULL) gm_fmu_worker_refuse(w, "no memory for %zu values", n);
    return room;
}

void *gm_fmu_worker_array(gm_fmu_worker *w, size_t n, size_t size)
{
    if (n > GM_FMU_COUNT_MAX) {
        gm_fmu_worker_refuse(w, "%zu values in one call", n);
        return NULL;
    }
    const uint8_t *bytes = gm_fmu_take(&w->in, n * size);
    void          *copy  = bytes != NULL || n == 0 ? gm_fmu_worker_room(w, n, size) : NULL;
    if (copy != NULL && n > 0) memcpy(copy, bytes, n * size);
    return copy;
}

const char **gm_fmu_worker_texts(gm_fmu_worker *w, size_t n, size_t *sizes)
{
    if (n > GM_FMU_COUNT_MAX) return NULL;
    // The pointers first, then the bytes; each text ends in a NUL of its own.
    const char **texts = malloc((n + 1) * sizeof *texts + w->in.left + n);
    if (texts == NULL) return NULL;
    char *to = (char *)(texts + n + 1);
    for (size_t i = 0; i < n; i++) {
        gm_str text = gm_fmu_take_text(&w->in);
        if (text.len > 0) memcpy(to, text.ptr, text.len);
        to[text.len] = '\0';
        texts[i]     = to;
        if (sizes != NULL) sizes[i] = text.len;
        to += text.len + 1;
    }
    return texts;
}

static int load(gm_fmu_worker *w)
{
    w->version = gm_fmu_take_u8(&w->in);
    w->kind    = (gm_fmi_kind)gm_fmu_take_u8(&w->in);
    char path[4096];
    gm_str text = gm_fmu_take_text(&w->in);
    if (w->library != NULL || text.len >= sizeof path || w->kind >= GM_FMI_KIND_COUNT) return gm_fmu_worker_refuse(w, "can not load");
    memcpy(path, text.ptr, text.len);
    path[text.len] = '\0';
    w->library     = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (w->library == NULL) {
        const char *why = dlerror();
        return gm_fmu_worker_refuse(w, "%s", why != NULL ? why : "the library does not load");
    }
    gm_fmu_worker_find(w);
    return GM_FMI_OK;
}

static void answer(gm_fmu_worker *w)
{
    gm_buf_clear(&w->out);
    gm_fmu_put_u8(&w->out, 0);  // the status goes here
    gm_fmu_op op = (gm_fmu_op)gm_fmu_take_u8(&w->in);
    w->broken[0] = '\0';
    int status   = GM_FMI_ERROR;
    if (op >= GM_FMU_OP_COUNT) gm_fmu_worker_refuse(w, "no such operation");
    else if (op == GM_FMU_OP_LOAD) status = load(w);
    else if (w->library == NULL || (w->instance == NULL && op != GM_FMU_OP_INSTANTIATE)) gm_fmu_worker_refuse(w, "no instance");
    else status = w->version == 2 ? gm_fmu_worker2_call(w, op) : gm_fmu_worker3_call(w, op);

    if (w->in.bad && w->broken[0] == '\0') gm_fmu_worker_refuse(w, "the request is cut short");
    if (w->out.failed && w->broken[0] == '\0') gm_fmu_worker_refuse(w, "no memory for the answer");
    gm_status st;
    if (w->broken[0] != '\0') {
        st = gm_fmu_send(w->fd, GM_FMU_FRAME_BROKEN, w->broken, strlen(w->broken), NULL);
    } else {
        w->out.ptr[0] = status >= 0 && status < GM_FMI_STATUS_COUNT ? (uint8_t)status : (uint8_t)GM_FMI_FATAL;
        st            = gm_fmu_send(w->fd, GM_FMU_FRAME_ANSWER, w->out.ptr, w->out.len, NULL);
    }
    if (st != GM_OK) _exit(0);
}

int gm_fmu_worker_run(int fd)
{
    gm_fmu_worker *w = calloc(1, sizeof *w);
    if (w == NULL) return 1;
    w->fd      = fd;
    w->request = gm_buf_init(gm_alloc_system());
    w->out     = gm_buf_init(gm_alloc_system());
    w->frame   = gm_buf_init(gm_alloc_system());
    gm_fmu_frame frame;
    while (gm_fmu_receive(fd, gm_clock_system(), -1, &frame, &w->request, NULL) == GM_OK) {
        if (frame != GM_FMU_FRAME_REQUEST) continue;
        w->in = (gm_fmu_reader){ w->request.ptr, w->request.len, false };
        answer(w);
    }
    _exit(0);  // without the exit handlers of the FMU's library: nobody is left to hear from them
}
