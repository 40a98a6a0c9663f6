// What it takes to make 20,000 bytes of data and 120 of index durable, by the way in which the files are written.
//   gcc -O2 -o flush bench/flush.c -lpthread && ./flush DIRECTORY [SECONDS [PAUSE_MS]]
// The ways take turns, a file pair each, so that all meet the same disk. Files are left in DIRECTORY.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DATA = 20000, ALIGNED = 20480, INDEX = 120, FILE_BYTES = 64 << 20, INDEX_BYTES = 1 << 20, MOST = 100000 };
enum preparation { EMPTY, ALLOCATED, WRITTEN };

struct way {
  const char *name;
  enum preparation preparation;
  int flags;
  int data, index;
  long offset, index_offset;
  double *millis;
  int count;
};

static struct way ways[] = {
  {"append, data and index, fsync side by side", EMPTY},
  {"append, data, fsync", EMPTY},
  {"append, data, fdatasync", EMPTY},
  {"allocated, data, fdatasync", ALLOCATED},
  {"overwritten, data, fdatasync", WRITTEN},
  {"overwritten, data and index, fdatasync side by side", WRITTEN},
  {"overwritten, data, O_DIRECT | O_DSYNC", WRITTEN, O_DIRECT | O_DSYNC},
  {"overwritten, data, written out, disk not flushed", WRITTEN},
  {"overwritten, both written out, one fdatasync", WRITTEN},
  {"overwritten, data, O_DIRECT, disk not flushed", WRITTEN, O_DIRECT},
};
enum { WAYS = sizeof ways / sizeof *ways };

static char *bytes;
static sem_t asked, done;
static int beside_file, beside_is_data;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void check(int failed, const char *what) {
  if (failed) {
    perror(what);
    exit(1);
  }
}

static void put(int file, long length, long offset) {
  check(pwrite(file, bytes, length, offset) != length, "pwrite");
}

static void *flush_beside(void *unused) {
  for (;;) {
    sem_wait(&asked);
    check(beside_is_data ? fdatasync(beside_file) : fsync(beside_file), "fsync");
    sem_post(&done);
  }
  return unused;
}

static void begin_beside(int file, int is_data) {
  beside_file = file;
  beside_is_data = is_data;
  sem_post(&asked);
}

static int make(const char *directory, const char *kind, int number, const struct way *way, int flags, long length) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%d", directory, kind, number);
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC | flags, 0644);
  check(file < 0, path);
  if (way->preparation == ALLOCATED) check(fallocate(file, 0, 0, length), "fallocate");
  for (long at = 0; way->preparation == WRITTEN && at < length; at += 1 << 20) put(file, 1 << 20, at);
  check(fsync(file), "fsync");
  return file;
}

static void run(int number) {
  struct way *w = &ways[number];
  const int write_out = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  switch (number) {
    case 0:
    case 5:
      put(w->data, DATA, w->offset);
      put(w->index, INDEX, w->index_offset);
      begin_beside(w->index, number == 5);
      check(number == 5 ? fdatasync(w->data) : fsync(w->data), "fsync");
      sem_wait(&done);
      break;
    case 1:
      put(w->data, DATA, w->offset);
      check(fsync(w->data), "fsync");
      break;
    case 2:
    case 3:
    case 4:
      put(w->data, DATA, w->offset);
      check(fdatasync(w->data), "fdatasync");
      break;
    case 6:
    case 9:
      put(w->data, ALIGNED, w->offset & ~4095L);
      break;
    case 7:
      put(w->data, DATA, w->offset);
      check(sync_file_range(w->data, w->offset, DATA, write_out), "sync_file_range");
      break;
    case 8:
      put(w->data, DATA, w->offset);
      put(w->index, INDEX, w->index_offset);
      check(sync_file_range(w->index, w->index_offset, INDEX, SYNC_FILE_RANGE_WRITE), "sync_file_range");
      check(sync_file_range(w->data, w->offset, DATA, write_out), "sync_file_range");
      check(fdatasync(w->index), "fdatasync");
      break;
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  check(count < 2, "DIRECTORY is missing");
  double seconds = count > 2 ? atof(arguments[2]) : 10, pause = count > 3 ? atof(arguments[3]) : 1;
  bytes = aligned_alloc(4096, 1 << 20);
  for (int i = 0; i < 1 << 20; i++) bytes[i] = rand();
  sem_init(&asked, 0, 0);
  sem_init(&done, 0, 0);
  pthread_t beside;
  check(pthread_create(&beside, NULL, flush_beside, NULL), "pthread_create");
  for (int i = 0; i < WAYS; i++) {
    ways[i].millis = malloc(MOST * sizeof(double));
    ways[i].data = make(arguments[1], "data", i, &ways[i], ways[i].flags, FILE_BYTES);
    ways[i].index = make(arguments[1], "index", i, &ways[i], 0, INDEX_BYTES);
  }
  double end = now() + 1000 * seconds;
  for (int i = 0; now() < end; i = (i + 1) % WAYS) {
    struct way *w = &ways[i];
    if (w->offset + 2 * ALIGNED > FILE_BYTES) w->offset = 0;
    if (w->index_offset + INDEX > INDEX_BYTES) w->index_offset = 0;
    double began = now();
    run(i);
    if (w->count < MOST) w->millis[w->count++] = now() - began;
    w->offset += DATA;
    w->index_offset += INDEX;
    usleep(1000 * pause);
  }
  printf("| ms | mean | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|\n");
  for (int i = 0; i < WAYS; i++) {
    struct way *w = &ways[i];
    double sum = 0;
    qsort(w->millis, w->count, sizeof(double), compare);
    for (int j = 0; j < w->count; j++) sum += w->millis[j];
    printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n", w->name, sum / w->count, w->millis[w->count / 2],
           w->millis[w->count * 9 / 10], w->millis[w->count * 99 / 100], w->millis[w->count - 1]);
  }
}
