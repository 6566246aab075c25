#define HAND(name) hand_##name##_avx2
#include "physics_hand_body.h"
