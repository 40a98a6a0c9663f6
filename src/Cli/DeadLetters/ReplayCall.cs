using Google.Protobuf;
using Ingest.Client;
using Ingest.Client.Calls;
using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Cli.DeadLetters;

/// <summary>
/// Sends the rows of dead letters again by Append. Each letter is a producer of its own with one row, offset 0: so the
/// server itself knows of each whether it was sent before.
/// </summary>
internal sealed class ReplayCall(RpcChannel channel)
{
    private const string Method = "/ingest.v1.IngestService/Append";

    /// <summary>The fingerprint of a table's schema, which serialized rows have to name.</summary>
    /// <exception cref="RpcException">There is no such table, or no server.</exception>
    public async Task<ByteString> FingerprintAsync(string table, CancellationToken cancellationToken)
    {
        var call = channel.Start(Method, timeout: null, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            await SendAsync(call, new AppendRequest { Open = new AppendOpen { Table = table } });
            return (await OpenedAsync(call)).SchemaFingerprint;
        }
    }

    /// <summary>Sends one letter's row.</summary>
    /// <returns>What came of it, with the reason when it was not taken.</returns>
    /// <exception cref="RpcException">The call failed; whether the row was taken is not known, and it can be sent again.</exception>
    public async Task<(ReplayOutcome Outcome, string Reason)> SendAsync(
        Letter letter, ByteString fingerprint, CancellationToken cancellationToken)
    {
        var call = channel.Start(Method, timeout: null, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            await SendAsync(call, new AppendRequest
            {
                Open = new AppendOpen
                {
                    ProducerId = LetterBox.ProducerPrefix + letter.Id,
                    Table = letter.Table,
                    SchemaFingerprint = fingerprint,
                },
            });
            if ((await OpenedAsync(call)).DurableOffset > 0)
            {
                return (ReplayOutcome.Already, "");
            }
            await SendAsync(call, new AppendRequest
            {
                Rows = new AppendRows
                {
                    Offset = 0, Serialized = new SerializedRows { Rows = { ByteString.CopyFrom(letter.Row) } },
                },
            });
            return await ResultAsync(call);
        }
    }

    private static async Task<(ReplayOutcome Outcome, string Reason)> ResultAsync(RpcCall call)
    {
        RowError? error = null;
        while (true)
        {
            var response = await ReadAsync(call);
            switch (response.ResponseCase)
            {
                case AppendResponse.ResponseOneofCase.Refusal:
                    return (ReplayOutcome.Refused, $"{response.Refusal.Reason}: {response.Refusal.Message}");
                case AppendResponse.ResponseOneofCase.Ack:
                    error ??= response.Ack.Errors.FirstOrDefault();
                    if (response.Ack.DurableOffset > 0)
                    {
                        return error is null
                            ? (ReplayOutcome.Replayed, "")
                            : (ReplayOutcome.Rejected, Streaming.StreamReport.Describe(error));
                    }
                    break;
            }
        }
    }

    private static async Task<AppendOpened> OpenedAsync(RpcCall call) => (await ReadAsync(call)).Opened
        ?? throw new RpcException(StatusCode.Internal, "The server did not answer open.");

    private static async Task<AppendResponse> ReadAsync(RpcCall call)
    {
        var message = await call.ReadAsync()
            ?? throw new RpcException(StatusCode.Unavailable, "The server ended the call.");
        return RpcCall.Parse(bytes => AppendResponse.Parser.ParseFrom(bytes.Span), message);
    }

    private static async Task SendAsync(RpcCall call, AppendRequest request)
    {
        var size = request.CalculateSize();
        var frame = new byte[MessageFrame.HeaderBytes + size];
        MessageFrame.WriteHeader(frame, flags: 0, size);
        request.WriteTo(frame.AsSpan(MessageFrame.HeaderBytes));
        // Where the call has ended, reading says why.
        if (await call.TryWriteAsync(frame))
        {
            await call.TryFlushAsync();
        }
    }
}
