#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../../ABI/wherry.h"
#include "share.h"
/**/
#include "compact.h"

/* Looks at the next call's number so often before sleeping: some microseconds, so that the
 * operations of one invocation find the workers awake. */
enum { PATIENCE = 4000 };

typedef struct worker {
  struct wh_workers *workers;
  pthread_t thread;
  int part;
} worker;

typedef struct wh_workers {
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
  _Atomic uint32_t number; /* of the current call, even; 1 ends */
  _Atomic int32_t left;    /* workers that have not finished it */
  _Atomic int32_t status;
  uint32_t code;
  const wh_call *call;
  int parts, count;
  worker workers[WHERRY_MOST_THREADS - 1];
} wh_workers;

size_t wh_workers_bytes(void) { return (sizeof(wh_workers) + 63) / 64 * 64; }

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

static void do_share(wh_workers *workers, int part) {
  wh_share share;
  wh_share_take(&share, workers->code, workers->call, part, workers->parts);
  const int32_t status = wh_kernel_run(workers->code, &share.call);
  if (status) atomic_store_explicit(&workers->status, status, memory_order_relaxed);
}

/* The number of a call after seen. */
static uint32_t next_number(wh_workers *workers, uint32_t seen) {
  for (int i = 0; i < PATIENCE; i++) {
    const uint32_t number = atomic_load_explicit(&workers->number, memory_order_acquire);
    if (number != seen) return number;
    pause_briefly();
  }
  pthread_mutex_lock(&workers->mutex);
  uint32_t number;
  while ((number = atomic_load_explicit(&workers->number, memory_order_acquire)) == seen)
    pthread_cond_wait(&workers->wake, &workers->mutex);
  pthread_mutex_unlock(&workers->mutex);
  return number;
}

static void *work(void *argument) {
  worker *self = argument;
  wh_workers *workers = self->workers;
  uint32_t seen = 0;
  while ((seen = next_number(workers, seen)) != 1) {
    if (self->part < workers->parts) do_share(workers, self->part);
    if (atomic_fetch_sub_explicit(&workers->left, 1, memory_order_acq_rel) != 1) continue;
    pthread_mutex_lock(&workers->mutex);
    pthread_cond_broadcast(&workers->done); /* signal would be one more import */
    pthread_mutex_unlock(&workers->mutex);
  }
  return NULL;
}

static void announce(wh_workers *workers, uint32_t number) {
  pthread_mutex_lock(&workers->mutex);
  atomic_store_explicit(&workers->number, number, memory_order_release);
  pthread_cond_broadcast(&workers->wake);
  pthread_mutex_unlock(&workers->mutex);
}

int32_t wh_workers_start(void *memory, uint32_t threads) {
  wh_workers *workers = memory;
  memset(workers, 0, sizeof *workers);
  workers->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  workers->wake = workers->done = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
  for (uint32_t i = 0; i + 1 < threads; i++) {
    worker *w = &workers->workers[i];
    *w = (worker){.workers = workers, .part = (int)i + 1};
    if (pthread_create(&w->thread, NULL, work, w)) {
      wh_workers_stop(workers);
      return WHERRY_NO_THREAD;
    }
    workers->count++;
  }
  return WHERRY_OK;
}

int32_t wh_workers_run(void *memory, uint32_t code, const wh_call *call) {
  wh_workers *workers = memory;
  const int parts = wh_share_count(code, call, workers->count + 1);
  if (parts < 2) return wh_kernel_run(code, call);
  workers->code = code;
  workers->call = call;
  workers->parts = parts;
  atomic_store_explicit(&workers->status, 0, memory_order_relaxed);
  atomic_store_explicit(&workers->left, workers->count, memory_order_relaxed);
  announce(workers, atomic_load_explicit(&workers->number, memory_order_relaxed) + 2);
  do_share(workers, 0);
  for (int i = 0; i < PATIENCE; i++) {
    if (!atomic_load_explicit(&workers->left, memory_order_acquire))
      return atomic_load_explicit(&workers->status, memory_order_relaxed);
    pause_briefly();
  }
  pthread_mutex_lock(&workers->mutex);
  while (atomic_load_explicit(&workers->left, memory_order_acquire))
    pthread_cond_wait(&workers->done, &workers->mutex);
  pthread_mutex_unlock(&workers->mutex);
  return atomic_load_explicit(&workers->status, memory_order_relaxed);
}

void wh_workers_stop(void *memory) {
  wh_workers *workers = memory;
  announce(workers, 1);
  for (int i = 0; i < workers->count; i++) pthread_join(workers->workers[i].thread, NULL);
}

#include "region_end.h"
