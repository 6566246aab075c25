// tests/support/webhook.h: a small HTTP server on a thread of its own that keeps what is posted to it, and can misbehave.
#ifndef GM_TESTS_SUPPORT_WEBHOOK_H
#define GM_TESTS_SUPPORT_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct test_webhook test_webhook;

test_webhook *test_webhook_start(void);
uint16_t      test_webhook_port(const test_webhook *hook);
void          test_webhook_stop(test_webhook *hook);

void test_webhook_answer(test_webhook *hook, unsigned status);           // from now on; 204 at first
void test_webhook_misbehave(test_webhook *hook, unsigned every);         // every n-th request: 503 or no answer; 0: none

size_t      test_webhook_count(test_webhook *hook);                      // requests so far
size_t      test_webhook_accepted(test_webhook *hook);                   // answered 2xx
bool        test_webhook_was_accepted(test_webhook *hook, size_t i);
const char *test_webhook_request(test_webhook *hook, size_t i);          // head and body as a C string; valid until stop

#endif
