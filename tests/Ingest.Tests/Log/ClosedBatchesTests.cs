using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class ClosedBatchesTests
{
    [Fact]
    public void A_million_batches_from_four_threads_come_out_once_each_and_in_each_threads_order()
    {
        const int Threads = 4, Each = 250_000;
        var queue = new Holder();
        var received = new List<long>[Threads];
        var sequence = new Dictionary<Batch, (int Thread, long Number)>(ReferenceEqualityComparer.Instance);
        var batches = new Batch[Threads][];
        for (var thread = 0; thread < Threads; thread++)
        {
            received[thread] = new List<long>(Each);
            batches[thread] = new Batch[64];
            for (var i = 0; i < batches[thread].Length; i++)
            {
                sequence[batches[thread][i] = new Batch(LogDirectory.Events)] = (thread, i);
            }
        }

        // A producer reuses its 64 batches as the consumer hands them back; a batch carries its number in OpenedAt.
        var returned = new SemaphoreSlim[Threads];
        var threads = new Thread[Threads];
        for (var thread = 0; thread < Threads; thread++)
        {
            var own = thread;
            returned[own] = new SemaphoreSlim(64);
            threads[own] = new Thread(() =>
            {
                for (long number = 0; number < Each; number++)
                {
                    returned[own].Wait();
                    var batch = batches[own][number % 64];
                    batch.OpenedAt = number;
                    queue.Closed.Push(batch);
                }
            });
            threads[own].Start();
        }

        var group = new List<Batch>();
        for (var total = 0; total < Threads * Each; total += group.Count)
        {
            group.Clear();
            queue.Closed.TakeAll(group);
            foreach (var batch in group)
            {
                Assert.Null(batch.Next);
                var thread = sequence[batch].Thread;
                received[thread].Add(batch.OpenedAt);
                returned[thread].Release();
            }

            if (group.Count == 0)
            {
                Thread.Yield();
            }
        }

        Assert.All(threads, thread => thread.Join());
        Assert.True(queue.Closed.IsEmpty);
        Assert.All(received, numbers => Assert.Equal(Enumerable.Range(0, Each).Select(i => (long)i), numbers));
    }

    private sealed class Holder
    {
        public ClosedBatches Closed;
    }
}
