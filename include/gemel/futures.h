/* gemel/futures.h: what could be: thousands of continuations of the present state (docs/futures.md).
 *
 * EXAMPLE
 *     #include <gemel/futures.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         gemel_error  err = { 0 };
 *         gemel_plant *plant;
 *         char        *result = NULL;
 *         if (argc < 2 || gemel_open(argv[1], &plant, &err) != 0) return fprintf(stderr, "%s\n", err.text), 1;
 *         if (gemel_futures(plant,
 *                           "{\"root\":\"t1\",\"horizon\":\"10s\",\"step\":\"0.1s\",\"lanes\":256,\"points\":4,"
 *                           "\"vary\":[\"t1.k=uniform(0.5,1.5)\"],\"outputs\":[\"t1.x\"]}",
 *                           &result, &err) == 0)
 *             puts(result);
 *         else fprintf(stderr, "%s\n", err.text);
 *         gemel_free(result);
 *         gemel_close(plant);
 *         return err.code;
 *     }
 * END */
#ifndef GEMEL_FUTURES_H
#define GEMEL_FUTURES_H

#include <gemel/plant.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the request of docs/futures.md to its end and hands out the result, however long it takes. */
gemel_code gemel_futures(gemel_plant *plant, const char *request, char **out, gemel_error *err);

/* Starts it: {"id":...,"state":"running"}; then ask for /v1/futures/ID (gemel_ask), or cancel with DELETE. */
gemel_code gemel_futures_begin(gemel_plant *plant, const char *request, char **out, gemel_error *err);

#ifdef __cplusplus
}
#endif

#endif
