using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>Segments of four blocks, three rows each, damaged in every way.</summary>
public sealed class RecoveryTests : IAsyncLifetime, IDisposable
{
    private const int Blocks = 4;
    private const int RowsPerBlock = 3;

    private readonly LogDirectory _template = new();
    private readonly LogDirectory _directory = new();
    private byte[] _data = [];
    private byte[] _index = [];
    private string _stem = "";
    private SegmentScan _scan = null!;

    public async Task InitializeAsync()
    {
        var log = await _template.OpenAsync();
        var sink = new CountingSink();
        for (var block = 0; block < Blocks; block++)
        {
            LogDirectory.Append(
                log.Lane(LogDirectory.Events), sink, block * RowsPerBlock, RowsPerBlock, block % 2 == 0 ? "even" : "odd");
            await sink.CommittedAsync((block + 1) * RowsPerBlock);
        }

        var segment = Assert.Single(await LogDirectory.StopAsync(log));
        _stem = Path.GetFileNameWithoutExtension(segment.Path);
        _data = File.ReadAllBytes(_template.Single(".native"));
        _index = File.ReadAllBytes(_template.Single(".index"));
        _scan = Scan(_template);
        Assert.Equal(Blocks, _scan.Kept.Count());
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _template.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task An_unharmed_segment_is_sealed_again_with_the_same_token()
    {
        var (first, before) = await _template.RecoverAsync();
        var (_, again) = await _template.RecoverAsync();

        Assert.Equal(before, again);
        var segment = Assert.Single(again);
        Assert.True(segment.Recovered);
        Assert.Equal(12, segment.Rows);
        Assert.Equal(_data, File.ReadAllBytes(segment.Path));
        Assert.Equal((1, 12L, _data.Length, 0L, 0), (first.Segments, first.Rows, first.Bytes, first.CutBytes, first.Quarantined));
    }

    [Fact]
    public void A_data_file_cut_at_any_byte_keeps_the_blocks_before_the_cut()
    {
        // The last two blocks; what is cut before them differs in nothing.
        for (var cut = (int)_scan.Kept.ElementAt(2).Offset - 1; cut < _data.Length; cut++)
        {
            var directory = With(_data[..cut], _index);
            var whole = _scan.Kept.Count(block => block.Offset + block.Length <= cut);
            AssertRecovers(directory, Enumerable.Range(0, whole), $"data cut at {cut}");
        }
    }

    [Fact]
    public void An_index_cut_at_any_byte_keeps_the_blocks_whose_records_are_whole()
    {
        for (var cut = 0; cut < _index.Length; cut++)
        {
            var directory = With(_data, _index[..cut]);
            var whole = _scan.Kept.Count(block => block.IndexOffset + block.IndexLength <= cut);
            AssertRecovers(directory, Enumerable.Range(0, whole), $"index cut at {cut}");
        }
    }

    [Fact]
    public void A_flipped_bit_in_the_data_costs_its_block_alone_and_the_block_is_kept_aside()
    {
        for (var at = 0; at < _data.Length; at += 7)
        {
            var data = (byte[])_data.Clone();
            data[at] ^= (byte)(1 << (at % 8));
            var directory = With(data, _index);
            var hit = _scan.Kept.TakeWhile(block => block.Offset <= at).Count() - 1;
            AssertRecovers(directory, Enumerable.Range(0, Blocks).Where(b => b != hit), $"bit of data byte {at}");

            var block = _scan.Kept.ElementAt(hit);
            var aside = File.ReadAllBytes(Assert.Single(directory.Quarantined(".native")));
            Assert.Equal(data.AsSpan((int)block.Offset, (int)block.Length).ToArray(), aside);
            var record = File.ReadAllBytes(Assert.Single(directory.Quarantined(".index")));
            Assert.True(record.AsSpan().EndsWith(_index.AsSpan(block.IndexOffset, block.IndexLength)));
        }
    }

    [Fact]
    public void A_flipped_bit_in_the_index_costs_at_most_its_block_and_the_block_is_kept_aside()
    {
        for (var at = 0; at < _index.Length; at++)
        {
            var index = (byte[])_index.Clone();
            index[at] ^= (byte)(1 << (at % 8));
            var directory = With(_data, index);
            var hit = _scan.Kept.TakeWhile(block => block.IndexOffset <= at).Count() - 1;
            AssertRecovers(directory, Enumerable.Range(0, Blocks).Where(b => b != hit), $"bit of index byte {at}");
            if (hit >= 0)
            {
                var block = _scan.Kept.ElementAt(hit);
                var aside = File.ReadAllBytes(Assert.Single(directory.Quarantined(".native")));
                Assert.Equal(_data.AsSpan((int)block.Offset, (int)block.Length).ToArray(), aside);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_zeroed_block_costs_itself_alone(int hit)
    {
        var data = (byte[])_data.Clone();
        var block = _scan.Kept.ElementAt(hit);
        data.AsSpan((int)block.Offset, (int)block.Length).Clear();
        var directory = With(data, _index);
        AssertRecovers(directory, Enumerable.Range(0, Blocks).Where(b => b != hit), $"block {hit} zeroed");
    }

    [Fact]
    public void An_index_whose_last_records_are_zeroes_ends_before_them()
    {
        var index = (byte[])_index.Clone();
        index.AsSpan(_scan.Kept.ElementAt(2).IndexOffset).Clear();
        var directory = With(_data, index);
        AssertRecovers(directory, [0, 1], "index tail zeroed");
    }

    [Fact]
    public void Bytes_that_no_record_speaks_of_are_cut_off()
    {
        var directory = With([.. _data, 1, 2, 3], _index);
        AssertRecovers(directory, Enumerable.Range(0, Blocks), "three bytes more");
        Assert.Equal(_data.Length, new FileInfo(directory.Single(".native")).Length);
        Assert.Empty(directory.Quarantined(".native"));
    }

    [Fact]
    public async Task A_segment_written_anew_keeps_its_id_and_gets_another_token()
    {
        var (_, before) = await _template.RecoverAsync();
        var data = (byte[])_data.Clone();
        data[_scan.Kept.ElementAt(1).Offset] ^= 1;
        var directory = With(data, _index);
        var (report, after) = await directory.RecoverAsync();
        var (_, again) = await directory.RecoverAsync();

        Assert.Equal((1, 3L), (report.Quarantined, report.QuarantinedRows));
        Assert.Equal(before[0].SegmentId, after[0].SegmentId);
        Assert.NotEqual(before[0].Token, after[0].Token);
        Assert.Equal(after, again);
        Assert.EndsWith("-1.native", after[0].Path, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_file_without_an_index_is_kept_aside()
    {
        var directory = With(_data, null);
        AssertRecovers(directory, [], "no index");
        Assert.Equal(_data, File.ReadAllBytes(Assert.Single(directory.Quarantined(".native"))));
    }

    [Fact]
    public void An_index_of_another_segment_is_not_believed()
    {
        using var directory = new LogDirectory();
        Directory.CreateDirectory(directory.TablePath);
        File.WriteAllBytes(Path.Combine(directory.TablePath, "77.native"), _data);
        File.WriteAllBytes(Path.Combine(directory.TablePath, "77.index"), _index);
        AssertRecovers(directory, [], "renamed");
        Assert.Single(directory.Quarantined(".native"));
        Assert.Single(directory.Quarantined(".index"));
    }

    [Theory]
    [InlineData("released", true)]
    [InlineData("released", false)]
    [InlineData("tmp", false)]
    public void What_a_broken_off_deletion_or_rewriting_leaves_is_deleted(string left, bool withData)
    {
        var directory = With(withData ? _data : null, null);
        File.WriteAllBytes(Path.Combine(directory.TablePath, $"{_stem}.{left}"), _index);
        AssertRecovers(directory, [], left);
        Assert.Empty(Directory.GetFiles(directory.TablePath));
        Assert.Empty(directory.Quarantined(".native"));
    }

    [Fact]
    public void A_rewriting_that_broke_off_before_its_index_had_its_name_is_done_again()
    {
        var data = (byte[])_data.Clone();
        data[_scan.Kept.ElementAt(1).Offset] ^= 1;
        var directory = With(data, _index);
        File.WriteAllBytes(Path.Combine(directory.TablePath, $"{_stem}-1.native"), _data[..7]);
        File.WriteAllBytes(Path.Combine(directory.TablePath, $"{_stem}-1.index.tmp"), _index[..7]);
        AssertRecovers(directory, [0, 2, 3], "rewriting broken off");
        Assert.Single(directory.Quarantined(".native"));
    }

    [Fact]
    public void A_rewriting_that_broke_off_before_the_old_was_deleted_counts()
    {
        var directory = With([.. _data, .. _data], _index);
        var stem = Path.Combine(directory.TablePath, _stem);
        File.WriteAllBytes($"{stem}-1.native", _data);
        File.WriteAllBytes($"{stem}-1.index", _index);
        AssertRecovers(directory, Enumerable.Range(0, Blocks), "two generations");
        Assert.Equal(
            [$"{stem}-1.index", $"{stem}-1.native"], Directory.GetFiles(directory.TablePath, $"{_stem}*").Order());
    }

    [Fact]
    public async Task Producers_are_restored_from_what_is_left()
    {
        var log = await _template.OpenAsync();
        var producers = log.Lane(LogDirectory.Events).Producers;

        Assert.True(producers.TryGet("even", out var even));
        Assert.Equal((3L, 1L), (even.Offsets.End, even.Epoch));
        Assert.Equal([(6L, 9L)], even.Offsets.Ahead);
        Assert.True(producers.TryGet("odd", out var odd));
        Assert.Equal(0, odd.Offsets.End);
        Assert.Equal([(3L, 6L), (9L, 12L)], odd.Offsets.Ahead);
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public async Task A_producer_goes_on_where_it_was_although_rows_that_were_acknowledged_rot(int hit, bool isKnown)
    {
        var data = (byte[])_data.Clone();
        data[_scan.Kept.ElementAt(hit).Offset] ^= 1;
        var directory = With(data, _index);
        for (var run = 0; run < 2; run++)
        {
            var log = await directory.OpenAsync();
            var producers = log.Lane(LogDirectory.Events).Producers;
            Assert.True(producers.TryGet("even", out var even));
            Assert.True(producers.TryGet("odd", out var odd));
            Assert.Equal(3, even.Offsets.End);
            Assert.Equal([(6L, 9L)], even.Offsets.Ahead);

            // The last group may never have been acknowledged: its rows are to be sent again.
            (long, long)[] ahead = isKnown ? [(3L, 6L), (9L, 12L)] : [(3L, 6L)];
            Assert.Equal(ahead, odd.Offsets.Ahead);
            await log.DisposeAsync();
        }
    }

    [Fact]
    public async Task Offsets_of_a_torn_block_do_not_count_although_a_good_one_of_its_group_stands_behind()
    {
        using var flushing = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var directory = new LogDirectory();
        var disk = new RecordingFiles();
        var log = await directory.OpenAsync(directory.Options with { BatchRows = 3, OpenBatches = 1 }, disk);
        var session = new TestSession("p", 1);
        await log.Lane(LogDirectory.Events).OpenProducerAsync(session);
        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                flushing.Set();
                go.Wait();
            }
        };
        LogDirectory.Append(log.Lane(LogDirectory.Events), session, 0, 3);
        flushing.Wait();
        LogDirectory.Append(log.Lane(LogDirectory.Events), session, 3, 3);
        LogDirectory.Append(log.Lane(LogDirectory.Events), session, 6, 3);
        go.Set();
        await Eventually.BeAsync(() => session.Durable == 9);
        Assert.Equal(2, log.Metrics.Groups);
        await LogDirectory.StopAsync(log);
        var path = directory.Single(".native");
        var torn = Scan(directory).Kept.ElementAt(1);
        var data = File.ReadAllBytes(path);
        data.AsSpan((int)torn.Offset, (int)torn.Length).Clear();
        File.WriteAllBytes(path, data);
        File.Delete(Path.Combine(directory.TablePath, "producers"));

        log = await directory.OpenAsync();
        Assert.True(log.Lane(LogDirectory.Events).Producers.TryGet("p", out var producer));
        Assert.Equal(3, producer.Offsets.End);
        Assert.Equal([(6L, 9L)], producer.Offsets.Ahead);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Segments_of_a_table_that_is_gone_are_kept_until_it_is_back()
    {
        var log = await _template.OpenAsync(tables: []);
        Assert.Equal(1, log.Recovery.UnknownTables["events"]);
        Assert.Empty(await LogDirectory.StopAsync(log));

        var (report, segments) = await _template.RecoverAsync();
        Assert.Empty(report.UnknownTables);
        Assert.Equal(12, Assert.Single(segments).Rows);
    }

    [Fact]
    public async Task A_segment_from_another_directory_keeps_the_token_it_had_there()
    {
        var (_, before) = await _template.RecoverAsync();
        var directory = With(_data, _index);
        var (_, segments) = await directory.RecoverAsync();
        Assert.Equal(before[0].Token, Assert.Single(segments).Token);
    }

    [Fact]
    public async Task New_ids_are_higher_than_any_found()
    {
        using var directory = new LogDirectory();
        Directory.CreateDirectory(directory.TablePath);
        File.WriteAllBytes(Path.Combine(directory.TablePath, $"{ulong.MaxValue - 10}.native"), []);
        var log = await directory.OpenAsync();
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 1);
        await sink.CommittedAsync(1);
        Assert.Equal(ulong.MaxValue - 9, Assert.Single(await LogDirectory.StopAsync(log)).SegmentId);
    }

    // One data directory for all the ways of a test: making one costs more flushes than a recovery.
    private LogDirectory With(byte[]? data, byte[]? index)
    {
        foreach (var path in new[] { _directory.TablePath, _directory.QuarantinePath }.Where(Directory.Exists))
        {
            Directory.Delete(path, recursive: true);
        }

        Directory.CreateDirectory(_directory.TablePath);
        Write(".native", data);
        Write(".index", index);
        return _directory;

        void Write(string extension, byte[]? bytes)
        {
            if (bytes is not null)
            {
                File.WriteAllBytes(Path.Combine(_directory.TablePath, _stem + extension), bytes);
            }
        }
    }

    private static SegmentScan Scan(LogDirectory directory)
    {
        Assert.True(SegmentFiles.TryParse(directory.Single(".index"), out var files));
        return SegmentScan.Run(DiskFiles.Instance, files!);
    }

    // Twice, since recovery must leave what recovers to the same.
    private static void AssertRecovers(LogDirectory directory, IEnumerable<int> blocks, string what)
    {
        var expected = blocks.SelectMany(b => Enumerable.Range(b * RowsPerBlock, RowsPerBlock)).Select(i => (long)i).ToArray();
        for (var time = 0; time < 2; time++)
        {
            using var data = DataDirectory.Open(
                DiskFiles.Instance, directory.DataPath, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            using var ids = SegmentIds.Open(DiskFiles.Instance, data.MarkPath, TimeProvider.System);
            var recovery = new Recovery(
                DiskFiles.Instance, data, [LogDirectory.Events],
                Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            var report = recovery.Run(ids, default);

            var found = recovery.Sealed.SelectMany(segment => LogDirectory.ReadIds(segment.Path)).ToArray();
            Assert.True(expected.SequenceEqual(found), $"{what}, time {time}: {string.Join(' ', found)}");
            Assert.Equal(expected.Length, report.Rows);
            Assert.All(recovery.Sealed, segment => Assert.Equal(new FileInfo(segment.Path).Length, segment.Length));
        }
    }
}
