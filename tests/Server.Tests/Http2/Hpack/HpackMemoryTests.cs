using System.Runtime.CompilerServices;
using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

/// <summary>What the decoder allocates and holds. Alone, as others would drive strings out of the shared table.</summary>
[Collection(nameof(HpackMemoryTests))]
[CollectionDefinition(nameof(HpackMemoryTests), DisableParallelization = true)]
public class HpackMemoryTests
{
    private const string Path = "/ingest.v1.IngestService/StreamGpsPoints";
    private const string Agent = "grpc-node-js/1.13.0";

    // What grpc-js sends with each call after its first: all of it is in the tables.
    private static readonly byte[] s_repeated = [0x83, 0x86, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xC3];

    private static readonly byte[] s_first =
    [
        0x83, 0x86,
        .. Blocks.Indexed("te", "trailers"), .. Blocks.Indexed("user-agent", Agent),
        .. Blocks.Indexed("grpc-accept-encoding", "identity,deflate,gzip"),
        .. Blocks.Indexed("content-type", "application/grpc"), .. Blocks.Indexed(":path", Path),
        .. Blocks.Indexed(":authority", "ingest.example.com:7400"),
    ];

    // What .NET's client sends: it indexes nothing.
    private static readonly byte[] s_literals =
    [
        0x83, 0x86,
        .. Blocks.Literal(":path", Path), .. Blocks.Literal(":authority", "ingest.example.com:7400"),
        .. Blocks.Literal("user-agent", Agent), .. Blocks.Literal("te", "trailers"),
        .. Blocks.Literal("content-type", "application/grpc"), .. Blocks.Literal("x-tenant", ""),
    ];

    public static TheoryData<byte[], byte[]> Repeated => new() { { s_first, s_repeated }, { s_literals, s_literals } };

    [Theory]
    [MemberData(nameof(Repeated))]
    public void A_block_like_the_one_before_makes_no_strings_and_allocates_nothing(byte[] first, byte[] repeated)
    {
        var decoder = new HpackDecoder();
        Assert.Equal(HpackError.None, decoder.Decode(first).Error);
        var sink = new LastPath();
        Decode(decoder, repeated, ref sink);
        var path = sink.Path;

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Decode(decoder, repeated, ref sink);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(Path, path);
        Assert.Same(path, sink.Path);
        Assert.Equal(8 * 1001, sink.Fields);
    }

    [Fact]
    public void Connections_share_the_strings_that_repeat()
    {
        var paths = Enumerable.Range(0, 2).Select(_ =>
            new HpackDecoder().Decode(s_first).List.Fields.Single(field => field.Name.Id == HeaderId.Path)).ToArray();

        Assert.Same(paths[0].Value, paths[1].Value);
        Assert.Same(paths[0].Name, paths[1].Name);
    }

    [Fact]
    public void Credentials_are_not_shared()
    {
        var tokens = Enumerable.Range(0, 2).Select(_ =>
            new HpackDecoder().Decode(Blocks.Literal("authorization", "Bearer 1234")).List.Fields.Single()).ToArray();

        Assert.Equal(tokens[0].Value, tokens[1].Value);
        Assert.NotSame(tokens[0].Value, tokens[1].Value);
    }

    [Fact]
    public void The_decoder_of_an_idle_connection_is_small()
    {
        new HpackDecoder().Decode(s_first);
        var sink = new LastPath();
        var before = GC.GetAllocatedBytesForCurrentThread();

        var unused = new HpackDecoder();
        var made = GC.GetAllocatedBytesForCurrentThread();
        Decode(unused, s_first, ref sink);
        var used = GC.GetAllocatedBytesForCurrentThread();

        // For its six fields an array of eight, and no string that another connection has made before.
        Assert.InRange(made - before, 1, 64);
        Assert.InRange(used - made, 1, 256);
    }

    [Fact]
    public void What_a_client_can_make_a_decoder_hold_is_bounded()
    {
        byte[] small = [.. Enumerable.Range(0, 1000).SelectMany(i => Blocks.Indexed($"{i:000}", ""))];
        var decoder = new HpackDecoder();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(HpackError.TooLarge, Decode(decoder, small));

        // 117 fields of 35 bytes; each name that is not known is an object and a string, also those driven out.
        Assert.InRange(decoder.TableBytes, 1, 4096);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1000 * 100 + 6 * 1024);
    }

    [Fact]
    public void What_is_driven_out_of_the_table_is_let_go()
    {
        var decoder = new HpackDecoder();
        var values = DecodeMany(decoder);

        GC.Collect();

        Assert.InRange(values.Count(value => value.IsAlive), 1, 4);
        GC.KeepAlive(decoder);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> DecodeMany(HpackDecoder decoder)
    {
        List<WeakReference> values = [];
        for (var i = 0; i < 100; i++)
        {
            var (error, list) = decoder.Decode(Blocks.Indexed("name", new string((char)('0' + (i % 10)), 1000)));
            Assert.Equal(HpackError.None, error);
            values.Add(new WeakReference(list.Fields[0].Value));
        }

        return values;
    }

    private static HpackError Decode(HpackDecoder decoder, byte[] block)
    {
        var sink = new LastPath();
        return Decode(decoder, block, ref sink);
    }

    private static HpackError Decode(HpackDecoder decoder, byte[] block, ref LastPath sink) =>
        decoder.Decode(block, ref sink, Blocks.MaxListBytes, 256);

    private struct LastPath : IHeaderSink
    {
        public string? Path { get; private set; }

        public int Fields { get; private set; }

        public void OnHeader(HeaderName name, string? value)
        {
            Fields++;
            Path = name.Id == HeaderId.Path ? value : Path;
        }
    }
}
