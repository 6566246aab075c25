// physics/fmi/functions.h: the functions of an FMU's binary as the FMI standard has them (2.0.4 chapters 2 to 4, 3.0.1
// chapters 2 to 5), declared for calling through pointers. Only the worker process includes this.
#ifndef GM_PHYSICS_FMI_FUNCTIONS_H
#define GM_PHYSICS_FMI_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void *gm_fmi_instance;

// ---- what both versions have with the same parameters.  X(field, name in FMI 2, name in FMI 3, result, parameters)

#define GM_FMI_BOTH_FUNCTION_LIST(X)                                                                                      \
    X(free_instance, "FreeInstance", "FreeInstance", void, (gm_fmi_instance))                                             \
    X(exit_init, "ExitInitializationMode", "ExitInitializationMode", int, (gm_fmi_instance))                              \
    X(terminate, "Terminate", "Terminate", int, (gm_fmi_instance))                                                        \
    X(reset, "Reset", "Reset", int, (gm_fmi_instance))                                                                    \
    X(get_state, "GetFMUstate", "GetFMUState", int, (gm_fmi_instance, void **state))                                      \
    X(set_state, "SetFMUstate", "SetFMUState", int, (gm_fmi_instance, void *state))                                       \
    X(free_state, "FreeFMUstate", "FreeFMUState", int, (gm_fmi_instance, void **state))                                   \
    X(state_size, "SerializedFMUstateSize", "SerializedFMUStateSize", int, (gm_fmi_instance, void *state, size_t *size))  \
    X(serialize, "SerializeFMUstate", "SerializeFMUState", int, (gm_fmi_instance, void *state, uint8_t *bytes, size_t size)) \
    X(deserialize, "DeSerializeFMUstate", "DeserializeFMUState", int, (gm_fmi_instance, const uint8_t *bytes, size_t size, void **state)) \
    X(enter_event, "EnterEventMode", "EnterEventMode", int, (gm_fmi_instance))                                            \
    X(enter_continuous, "EnterContinuousTimeMode", "EnterContinuousTimeMode", int, (gm_fmi_instance))                     \
    X(set_time, "SetTime", "SetTime", int, (gm_fmi_instance, double time))                                                \
    X(set_states, "SetContinuousStates", "SetContinuousStates", int, (gm_fmi_instance, const double *x, size_t n))        \
    X(get_states, "GetContinuousStates", "GetContinuousStates", int, (gm_fmi_instance, double *x, size_t n))              \
    X(get_derivatives, "GetDerivatives", "GetContinuousStateDerivatives", int, (gm_fmi_instance, double *dx, size_t n))   \
    X(get_indicators, "GetEventIndicators", "GetEventIndicators", int, (gm_fmi_instance, double *z, size_t n))            \
    X(get_nominals, "GetNominalsOfContinuousStates", "GetNominalsOfContinuousStates", int, (gm_fmi_instance, double *x, size_t n))

typedef struct gm_fmi_both {
#define X(field, name2, name3, result, parameters) result (*field) parameters;
    GM_FMI_BOTH_FUNCTION_LIST(X)
#undef X
} gm_fmi_both;

// ---- FMI 2: Boolean and Integer are int, value references unsigned int.

typedef struct gm_fmi2_callbacks {
    void (*logger)(void *environment, const char *instance, int status, const char *category, const char *message, ...);
    void *(*allocate)(size_t count, size_t size);
    void (*free)(void *memory);
    void (*step_finished)(void *environment, int status);
    void *environment;
} gm_fmi2_callbacks;

typedef struct gm_fmi2_event_info {
    int    new_discrete_states_needed, terminate, nominals_changed, values_changed, next_time_defined;
    double next_time;
} gm_fmi2_event_info;

// X(field, name after "fmi2", result, parameters)
#define GM_FMI2_FUNCTION_LIST(X)                                                                                         \
    X(instantiate, "Instantiate", gm_fmi_instance, (const char *name, int kind, const char *guid, const char *resources,  \
      const gm_fmi2_callbacks *callbacks, int visible, int logging))                                                     \
    X(setup, "SetupExperiment", int, (gm_fmi_instance, int tolerance_defined, double tolerance, double start,             \
      int stop_defined, double stop))                                                                                    \
    X(enter_init, "EnterInitializationMode", int, (gm_fmi_instance))                                                     \
    X(get_real, "GetReal", int, (gm_fmi_instance, const unsigned *refs, size_t n, double *values))                       \
    X(get_integer, "GetInteger", int, (gm_fmi_instance, const unsigned *refs, size_t n, int *values))                    \
    X(get_boolean, "GetBoolean", int, (gm_fmi_instance, const unsigned *refs, size_t n, int *values))                    \
    X(get_string, "GetString", int, (gm_fmi_instance, const unsigned *refs, size_t n, const char **values))              \
    X(set_real, "SetReal", int, (gm_fmi_instance, const unsigned *refs, size_t n, const double *values))                 \
    X(set_integer, "SetInteger", int, (gm_fmi_instance, const unsigned *refs, size_t n, const int *values))              \
    X(set_boolean, "SetBoolean", int, (gm_fmi_instance, const unsigned *refs, size_t n, const int *values))              \
    X(set_string, "SetString", int, (gm_fmi_instance, const unsigned *refs, size_t n, const char *const *values))        \
    X(new_discrete_states, "NewDiscreteStates", int, (gm_fmi_instance, gm_fmi2_event_info *info))                        \
    X(completed_step, "CompletedIntegratorStep", int, (gm_fmi_instance, int no_set_prior, int *enter_event, int *terminate)) \
    X(do_step, "DoStep", int, (gm_fmi_instance, double time, double size, int no_set_prior))                             \
    X(get_real_status, "GetRealStatus", int, (gm_fmi_instance, int kind, double *value))                                 \
    X(get_boolean_status, "GetBooleanStatus", int, (gm_fmi_instance, int kind, int *value))

enum { GM_FMI2_LAST_SUCCESSFUL_TIME = 2, GM_FMI2_TERMINATED = 3 };  // fmi2StatusKind

typedef struct gm_fmi2 {
#define X(field, name, result, parameters) result (*field) parameters;
    GM_FMI2_FUNCTION_LIST(X)
#undef X
} gm_fmi2;

// ---- FMI 3: Boolean and Clock are bool, value references uint32_t.

typedef void gm_fmi3_log(void *environment, int status, const char *category, const char *message);
typedef void gm_fmi3_intermediate(void *environment, double time, bool set_requested, bool get_allowed, bool step_finished,
                                  bool can_return_early, bool *return_requested, double *return_time);
typedef void gm_fmi3_clock_update(void *environment);
typedef void gm_fmi3_lock(void);

// Numeric values of any type are passed through one shape: the pointer's type does not change how C passes it.
typedef int gm_fmi3_get(gm_fmi_instance, const uint32_t *refs, size_t ref_count, void *values, size_t value_count);
typedef int gm_fmi3_set(gm_fmi_instance, const uint32_t *refs, size_t ref_count, const void *values, size_t value_count);

#define GM_FMI3_FUNCTION_LIST(X)                                                                                          \
    X(instantiate_me, "InstantiateModelExchange", gm_fmi_instance, (const char *name, const char *token,                  \
      const char *resources, bool visible, bool logging, void *environment, gm_fmi3_log *log))                            \
    X(instantiate_cs, "InstantiateCoSimulation", gm_fmi_instance, (const char *name, const char *token,                   \
      const char *resources, bool visible, bool logging, bool event_mode, bool early_return, const uint32_t *required,    \
      size_t required_count, void *environment, gm_fmi3_log *log, gm_fmi3_intermediate *intermediate))                    \
    X(instantiate_se, "InstantiateScheduledExecution", gm_fmi_instance, (const char *name, const char *token,             \
      const char *resources, bool visible, bool logging, void *environment, gm_fmi3_log *log,                             \
      gm_fmi3_clock_update *clock_update, gm_fmi3_lock *lock, gm_fmi3_lock *unlock))                                      \
    X(enter_init, "EnterInitializationMode", int, (gm_fmi_instance, bool tolerance_defined, double tolerance,             \
      double start, bool stop_defined, double stop))                                                                      \
    X(get_string, "GetString", int, (gm_fmi_instance, const uint32_t *refs, size_t n, const char **values, size_t count)) \
    X(set_string, "SetString", int, (gm_fmi_instance, const uint32_t *refs, size_t n, const char *const *values, size_t count)) \
    X(get_binary, "GetBinary", int, (gm_fmi_instance, const uint32_t *refs, size_t n, size_t *sizes, const uint8_t **values, \
      size_t count))                                                                                                      \
    X(set_binary, "SetBinary", int, (gm_fmi_instance, const uint32_t *refs, size_t n, const size_t *sizes,                \
      const uint8_t *const *values, size_t count))                                                                        \
    X(get_clock, "GetClock", int, (gm_fmi_instance, const uint32_t *refs, size_t n, bool *values))                        \
    X(set_clock, "SetClock", int, (gm_fmi_instance, const uint32_t *refs, size_t n, const bool *values))                  \
    X(get_interval, "GetIntervalDecimal", int, (gm_fmi_instance, const uint32_t *refs, size_t n, double *intervals,       \
      int *qualifiers))                                                                                                   \
    X(activate, "ActivateModelPartition", int, (gm_fmi_instance, uint32_t clock, double time))                            \
    X(enter_config, "EnterConfigurationMode", int, (gm_fmi_instance))                                                     \
    X(exit_config, "ExitConfigurationMode", int, (gm_fmi_instance))                                                       \
    X(update_discrete, "UpdateDiscreteStates", int, (gm_fmi_instance, bool *need_update, bool *terminate,                 \
      bool *nominals_changed, bool *values_changed, bool *next_time_defined, double *next_time))                          \
    X(completed_step, "CompletedIntegratorStep", int, (gm_fmi_instance, bool no_set_prior, bool *enter_event, bool *terminate)) \
    X(state_count, "GetNumberOfContinuousStates", int, (gm_fmi_instance, size_t *n))                                      \
    X(indicator_count, "GetNumberOfEventIndicators", int, (gm_fmi_instance, size_t *n))                                   \
    X(enter_step, "EnterStepMode", int, (gm_fmi_instance))                                                                \
    X(do_step, "DoStep", int, (gm_fmi_instance, double time, double size, bool no_set_prior, bool *event, bool *terminate, \
      bool *early, double *last_time))

typedef struct gm_fmi3 {
#define X(field, name, result, parameters) result (*field) parameters;
    GM_FMI3_FUNCTION_LIST(X)
#undef X
    gm_fmi3_get *get[16];  // by gm_fmi_type; numeric types, Boolean and Enumeration (as Int64) only
    gm_fmi3_set *set[16];
} gm_fmi3;

#endif
