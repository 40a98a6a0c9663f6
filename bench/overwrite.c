// overwrite MODE DIRECTORY: what a gigabyte costs that is written into files of 64 MiB, a MiB a write, each flushed.
//   fresh    each file is new; the one before it is deleted: what the log does without spare files
//   reuse    four files that are there, one after the other: what it does with them
//   direct   the same, past the cache (O_DIRECT)
// Prints CPU seconds a GB of this process (of them the writes, the flushes) and of the whole machine, and the time taken.
// cc -O2 -o overwrite bench/overwrite.c && ./overwrite fresh . && ./overwrite reuse . && ./overwrite direct .
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 4, ROUNDS = 32, WRITE = 1 << 20, FILE_BYTES = 64 << 20 };

static double own_cpu(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double machine_cpu(void) {
  long user, nice, system, idle, wait, irq, softirq;
  FILE *file = fopen("/proc/stat", "r");
  if (!file || fscanf(file, "cpu %ld %ld %ld %ld %ld %ld %ld", &user, &nice, &system, &idle, &wait, &irq, &softirq) != 7) {
    perror("/proc/stat");
    exit(1);
  }
  fclose(file);
  return (double)(user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static double write_cpu, flush_cpu;

static void write_file(const char *path, int flags, char *bytes) {
  int file = open(path, O_CREAT | O_WRONLY | flags, 0600);
  for (long at = 0; at < FILE_BYTES; at += WRITE) {
    double before = own_cpu();
    if (file < 0 || pwrite(file, bytes, WRITE, at) != WRITE) {
      perror(path);
      exit(1);
    }
    double between = own_cpu();
    if (fdatasync(file) != 0) {
      perror(path);
      exit(1);
    }
    write_cpu += between - before;
    flush_cpu += own_cpu() - between;
  }
  close(file);
}

int main(int count, char **words) {
  if (count != 3) {
    fprintf(stderr, "usage: overwrite fresh|reuse|direct DIRECTORY\n");
    return 2;
  }
  int fresh = strcmp(words[1], "fresh") == 0;
  int flags = strcmp(words[1], "direct") == 0 ? O_DIRECT : 0;
  char paths[FILES][4096];
  char *bytes = aligned_alloc(4096, WRITE);
  memset(bytes, 7, WRITE);
  for (int i = 0; i < FILES; i++) {
    snprintf(paths[i], sizeof paths[i], "%s/overwrite-%d-%d", words[2], getpid(), i);
    if (!fresh) write_file(paths[i], 0, bytes);
  }
  write_cpu = flush_cpu = 0;
  double own = own_cpu(), machine = machine_cpu(), started = now();
  for (int i = 0; i < ROUNDS; i++) {
    if (fresh) unlink(paths[i % FILES]);
    write_file(paths[i % FILES], flags, bytes);
  }
  double gigabytes = ROUNDS * (double)FILE_BYTES / 1e9;
  printf("%s: %.3f CPU s a GB (write %.3f, flush %.3f), of the machine %.3f, %.3f s\n", words[1],
      (own_cpu() - own) / gigabytes, write_cpu / gigabytes, flush_cpu / gigabytes,
      (machine_cpu() - machine) / gigabytes, (now() - started) / gigabytes);
  for (int i = 0; i < FILES; i++) unlink(paths[i]);
  return 0;
}
