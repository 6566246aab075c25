/* gemel/plant.h: a plant opened by a program, or the running server of one.
 *
 * A plant opened here is served by a thread of this process until it is closed: it recovers from its data folder, makes what
 * is written durable, and listens on two ports of 127.0.0.1 that the system picks. While it is open SIGTERM and SIGINT mean
 * that it ends. One that a `gemel serve` has open already is connected to instead. Answers are JSON texts, as the HTTP API
 * gives them (docs/api.md).
 *
 * A handle is used by one thread at a time. Functions return 0, or a code of gemel_code with a sentence in *err, which may be
 * NULL. What they hand out with *out is released with gemel_free.
 *
 * EXAMPLE
 *     #include <gemel/plant.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         gemel_error  err;
 *         gemel_plant *plant;
 *         if (argc < 2 || gemel_open(argv[1], &plant, &err) != 0) return fprintf(stderr, "%s\n", err.text), 1;
 *         char *text;
 *         if (gemel_ask(plant, "GET", "/v1/plant", NULL, &text, &err) == 0) puts(text);
 *         gemel_free(text);
 *         gemel_close(plant);
 *         return 0;
 *     }
 * END */
#ifndef GEMEL_PLANT_H
#define GEMEL_PLANT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gemel_plant gemel_plant;

typedef enum gemel_code {
    GEMEL_OK,
    GEMEL_INVALID,    /* what was asked can not be; err says what to change */
    GEMEL_NOT_FOUND,  /* no such plant, twin or property, or the server is not reachable */
    GEMEL_CONFLICT,   /* somebody else has the plant open */
    GEMEL_LIMIT,      /* too large, or too busy: later again */
    GEMEL_SYSTEM      /* memory, disk, network */
} gemel_code;

typedef struct gemel_error { gemel_code code; char text[256]; } gemel_error;

/* folder: of a plant (models/, twins/, behaviors/; docs/plant.md). GEMEL_CONFLICT: a server has it open. */
gemel_code gemel_open(const char *folder, gemel_plant **out_plant, gemel_error *err);

/* address: of a running server's HTTP, "127.0.0.1:8080". Whether it answers shows with the first question. */
gemel_code gemel_connect(const char *address, gemel_plant **out_plant, gemel_error *err);

/* Everything that was answered is on disk. NULL is allowed. */
void gemel_close(gemel_plant *plant);

/* Any route of the HTTP API: path with its query, percent-encoded; json may be NULL. *out is NULL after an error. */
gemel_code gemel_ask(gemel_plant *plant, const char *method, const char *path, const char *json, char **out, gemel_error *err);

void gemel_free(char *text); /* NULL is allowed */

#ifdef __cplusplus
}
#endif

#endif
