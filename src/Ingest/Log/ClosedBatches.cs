using Ingest.Columns;

namespace Ingest.Log;

/// <summary>
/// The hand-over of closed batches from many streams to one writer: a lock-free list through <see cref="Batch.Next"/>.
/// Batches of one thread come out in the order in which they went in. Its owner, the lane, bounds it in bytes.
/// </summary>
/// <remarks>
/// A push is one compare-and-swap on the head; the writer takes the whole list by one exchange, so that no batch can be
/// taken and come back between another's look and its swap (Treiber's stack without its ABA problem). 0 bytes allocated.
/// </remarks>
internal struct ClosedBatches
{
    private Batch? _head;

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => Volatile.Read(ref _head) is null;

    /// <summary>Hands a batch over. Any thread.</summary>
    public void Push(Batch batch)
    {
        var head = Volatile.Read(ref _head);
        while (true)
        {
            batch.Next = head;
            var seen = Interlocked.CompareExchange(ref _head, batch, head);
            if (ReferenceEquals(seen, head))
            {
                return;
            }

            head = seen;
        }
    }

    /// <summary>Takes everything, in order, behind what the list has. The writer's thread.</summary>
    public void TakeAll(List<Batch> group)
    {
        if (IsEmpty)
        {
            return;
        }

        var first = group.Count;
        for (var batch = Interlocked.Exchange(ref _head, null); batch is not null;)
        {
            var next = batch.Next;
            batch.Next = null;
            group.Add(batch);
            batch = next;
        }

        group.Reverse(first, group.Count - first);
    }
}
