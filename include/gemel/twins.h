/* gemel/twins.h: values of twins, as they are, as they were, and as a query finds them.
 *
 * EXAMPLE
 *     #include <gemel/twins.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         gemel_error  err = { 0 };
 *         gemel_plant *plant;
 *         double       level;
 *         char        *rows = NULL, *past = NULL;
 *         if (argc < 2 || gemel_open(argv[1], &plant, &err) != 0) return fprintf(stderr, "%s\n", err.text), 1;
 *         if (gemel_write_number(plant, "t1", "x", 2.5, &err) == 0 &&
 *             gemel_read_number(plant, "t1", "x", &level, &err) == 0 &&
 *             gemel_query(plant, "SELECT * FROM DIGITALTWINS WHERE x > 2", &rows, &err) == 0 &&
 *             gemel_history(plant, "t1", "x", "from=2000-01-01T00:00:00Z", &past, &err) == 0)
 *             printf("%g\n%s\n%s\n", level, rows, past);
 *         else fprintf(stderr, "%s\n", err.text);
 *         gemel_free(rows);
 *         gemel_free(past);
 *         gemel_close(plant);
 *         return err.code;
 *     }
 * END */
#ifndef GEMEL_TWINS_H
#define GEMEL_TWINS_H

#include <gemel/plant.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The whole twin: {"$dtId":...}. */
gemel_code gemel_read_twin(gemel_plant *plant, const char *twin, char **out, gemel_error *err);

/* One property, of a component as "motor/temperature"; in the unit that the model declares.
 * GEMEL_NOT_FOUND: it has no value, or there is none of that name. GEMEL_INVALID: it is no number. */
gemel_code gemel_read_number(gemel_plant *plant, const char *twin, const char *property, double *out, gemel_error *err);

/* Returns when it is durable. json: any value of the property's schema. */
gemel_code gemel_write(gemel_plant *plant, const char *twin, const char *property, const char *json, gemel_error *err);
gemel_code gemel_write_number(gemel_plant *plant, const char *twin, const char *property, double value, gemel_error *err);

/* The first page of a query's rows (docs/query.md): {"value":[...],"continuationToken":...}. */
gemel_code gemel_query(gemel_plant *plant, const char *query, char **out, gemel_error *err);

/* What a property has been (docs/api.md, /v1/history). more: further parameters, "from=...&to=..."; NULL: none. */
gemel_code gemel_history(gemel_plant *plant, const char *twin, const char *property, const char *more, char **out,
                         gemel_error *err);

#ifdef __cplusplus
}
#endif

#endif
