using Google.Protobuf;
using Ingest.Server.Tests.Http2.Hpack;

namespace Ingest.Server.Tests.Http2;

/// <summary>Header blocks of requests by hand; nothing is indexed.</summary>
internal static class RawRequest
{
    public const string Empty = "/grpc.testing.TestService/EmptyCall";
    public const string Unary = "/grpc.testing.TestService/UnaryCall";
    public const string BlockThread = "/ingest.testing.v1.ProbeService/Block";
    public const string Hang = "/ingest.testing.v1.ProbeService/Hang";
    public const string Count = "/ingest.testing.v1.ProbeService/Count";
    public const string Refuse = "/ingest.testing.v1.ProbeService/Refuse";
    public const string Flood = "/ingest.testing.v1.ProbeService/Flood";
    public const string Echo = "/ingest.testing.v1.ProbeService/Echo";

    /// <summary>What every gRPC call has.</summary>
    public static readonly (string Name, string Value)[] Fields =
    [
        (":method", "POST"), (":scheme", "http"), (":path", Empty), (":authority", "localhost"),
        ("te", "trailers"), ("content-type", "application/grpc"),
    ];

    /// <summary>The block of a call.</summary>
    public static byte[] Call(string path, params (string Name, string Value)[] more) =>
        Block([.. Fields.Select(field => field.Name == ":path" ? (":path", path) : field), .. more]);

    /// <summary>A block of these fields and no others.</summary>
    public static byte[] Block(params IEnumerable<(string Name, string Value)> fields) =>
        [.. fields.SelectMany(field => Blocks.Literal(field.Name, field.Value))];

    /// <summary>A call with an empty message, whole.</summary>
    public static RawFrame[] Whole(uint stream, string path) => Whole(stream, path, Grpc.Frames.Of([]));

    public static RawFrame[] Whole(uint stream, string path, IMessage message) =>
        Whole(stream, path, Grpc.Frames.Of(message));

    /// <summary>A call that is not over: one empty message, and the end is to come.</summary>
    public static RawFrame[] Open(uint stream, string path) =>
        [RawFrame.Headers(stream, Call(path)), RawFrame.Data(stream, Grpc.Frames.Of([]))];

    public static RawFrame[] Whole(uint stream, string path, byte[] body) =>
        [RawFrame.Headers(stream, Call(path)), RawFrame.Data(stream, body, end: true)];
}
