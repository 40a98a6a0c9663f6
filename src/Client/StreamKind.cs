using Google.Protobuf;

namespace Ingest.Client;

/// <summary>A client-streaming method of <c>ingest.v1.IngestService</c> whose request repeats rows in field 1.</summary>
/// <typeparam name="TRow">The kind of row.</typeparam>
/// <param name="Path">The method's path, <c>/service/method</c>.</param>
/// <param name="ParseResult">Reads the response.</param>
internal sealed record StreamKind<TRow>(string Path, Func<ReadOnlyMemory<byte>, StreamResult> ParseResult)
    where TRow : class, IMessage<TRow>;
