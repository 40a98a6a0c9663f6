using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>
/// Blocks that wait for a partition of an agent, bounded in bytes. From half of the bound on, what waits is conflated
/// by a thread of the pool: of inputs that allow it only the latest row of a key is left. Over the bound the oldest
/// blocks are dropped. Both are counted.
/// </summary>
/// <remarks>Filled by lanes' threads, which never wait here; emptied by the agent's thread.</remarks>
internal sealed class Mailbox(long maxBytes, int partition, int partitions) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Mail> _mails = new();
    private readonly HashSet<string> _unwanted = new(StringComparer.Ordinal);
    private Dictionary<string, BlockPlace> _passed = new(StringComparer.Ordinal);
    private bool _isTaken;
    private long _bytes;
    private long _conflateAt = maxBytes / 2;
    private bool _isConflating;
    private bool _isClosed;
    private long _conflatedRows;
    private long _droppedRows;

    /// <summary>Bytes that wait.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Rows that were taken out since a later one of their key was there.</summary>
    public long ConflatedRows => Volatile.Read(ref _conflatedRows);

    /// <summary>Rows that were dropped.</summary>
    public long DroppedRows => Volatile.Read(ref _droppedRows);

    /// <summary>Whether it is so full that rows are conflated.</summary>
    public bool IsLagging => Bytes >= maxBytes / 2;

    /// <summary>Says whether blocks of a table are wanted from here on; all are at first.</summary>
    public void SetWanted(string table, bool isWanted)
    {
        lock (_gate)
        {
            _ = isWanted ? _unwanted.Remove(table) : _unwanted.Add(table);
        }
    }

    /// <summary>Takes a block, with a reference of its own.</summary>
    /// <returns>False when it is not wanted: its place is passed.</returns>
    public bool Post(CommittedBlock block, AgentInput input)
    {
        bool conflate;
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            // What waits or is in hand may be what makes the agent want it.
            if (_mails.Count == 0 && !_isTaken && _unwanted.Contains(input.Table))
            {
                _passed[input.Table] = block.End;
                return false;
            }

            block.AddReference();
            _mails.AddLast(new Mail(block, input));
            Count(block.HeldBytes);
            while (_bytes > maxBytes && _mails.Count > 1)
            {
                Mail oldest = _mails.First!.Value;
                _droppedRows += oldest.Rows?.Length ?? oldest.Block.RowCount;
                Remove(_mails.First);
            }

            conflate = _bytes >= _conflateAt && !_isConflating;
            _isConflating |= conflate;
        }

        if (conflate)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return true;
    }

    /// <summary>Places that were passed since the last call, by table.</summary>
    public IReadOnlyDictionary<string, BlockPlace> TakePassed()
    {
        lock (_gate)
        {
            Dictionary<string, BlockPlace> passed = _passed;
            if (passed.Count > 0)
            {
                _passed = new Dictionary<string, BlockPlace>(StringComparer.Ordinal);
            }

            return passed;
        }
    }

    /// <summary>What <see cref="Take"/> gave has been handled.</summary>
    public void EndTaken()
    {
        lock (_gate)
        {
            _isTaken = false;
        }
    }

    /// <summary>The next block, to be released, and then <see cref="EndTaken"/> said.</summary>
    public Mail? Take()
    {
        lock (_gate)
        {
            if (_mails.First is not { } first)
            {
                return null;
            }

            _isTaken = true;

            _mails.RemoveFirst();
            Count(-first.Value.Block.HeldBytes);
            return first.Value;
        }
    }

    /// <summary>Lets go of what waits, and takes nothing more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            while (_mails.First is { } first)
            {
                Remove(first);
            }
        }
    }

    /// <summary>Conflates what waits now; what comes meanwhile is later than all of it.</summary>
    public void Execute()
    {
        LinkedListNode<Mail>[] nodes;
        lock (_gate)
        {
            nodes = new LinkedListNode<Mail>[_mails.Count];
            LinkedListNode<Mail>? node = _mails.First;
            for (int i = 0; i < nodes.Length; i++, node = node!.Next)
            {
                nodes[i] = node!;
                node!.Value.Block.AddReference();
            }
        }

        var latest = new LatestRows(partition, partitions);
        for (int i = nodes.Length - 1; i >= 0; i--)
        {
            Mail mail = nodes[i].Value;
            if (mail.Input.Conflates)
            {
                Replace(nodes[i], latest.Of(mail, out int skipped), skipped);
            }
        }

        foreach (LinkedListNode<Mail> node in nodes)
        {
            node.Value.Block.Release();
        }

        lock (_gate)
        {
            _isConflating = false;
            _conflateAt = Math.Max(maxBytes / 2, _bytes + (maxBytes / 8));
        }
    }

    private void Replace(LinkedListNode<Mail> node, int[] rows, int skipped)
    {
        lock (_gate)
        {
            if (node.List is null)
            {
                return; // The agent has it by now.
            }

            _conflatedRows += skipped;
            node.Value.Rows = rows;
            if (rows.Length == 0 && node != _mails.Last)
            {
                Remove(node);
            }
        }
    }

    private void Remove(LinkedListNode<Mail> node)
    {
        _mails.Remove(node);
        Count(-node.Value.Block.HeldBytes);
        node.Value.Block.Release();
    }

    private void Count(long bytes)
    {
        _bytes += bytes;
        if (_bytes < maxBytes / 2)
        {
            _conflateAt = maxBytes / 2;
        }
    }
}
