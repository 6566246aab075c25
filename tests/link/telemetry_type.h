// A type with a column of every kind, made by hand, for the tests of the telemetry parser.
#ifndef GM_TESTS_TELEMETRY_TYPE_H
#define GM_TESTS_TELEMETRY_TYPE_H

#include "model/model.h"

extern const gm_type gm_test_type;

#endif
