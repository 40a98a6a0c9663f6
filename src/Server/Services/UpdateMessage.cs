using System.Buffers;
using Google.Protobuf;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>
/// <c>SubscribeResponse{update: Update{..., resume_token}}</c> from an update's bytes, which all subscribers share, and
/// a subscription's own token.
/// </summary>
/// <remarks>
/// Hot: once a delivery, on the thread of the subscription; copies what it is given into the connection's buffer and
/// allocates nothing. Fields of a protobuf message may come in any order, so field 5 stands behind all others.
/// Watched by bench/Fanout.
/// </remarks>
internal static class UpdateMessage
{
    private const byte UpdateTag = (SubscribeResponse.UpdateFieldNumber << 3) | 2;
    private const byte TokenTag = (Update.ResumeTokenFieldNumber << 3) | 2;

    /// <summary>A tag and a length.</summary>
    private const int MaxHeadBytes = 6;

    /// <summary>Longest token that is put together on the stack; those of many topics are longer.</summary>
    private const int ShortTokenBytes = 122;

    /// <summary>Writes an update.</summary>
    /// <param name="responses">Where to.</param>
    /// <param name="update">An <c>ingest.v1.Update</c> without resume_token.</param>
    /// <param name="token">The cursor after it, UTF-8.</param>
    public static void Write(ResponseStream responses, ReadOnlySpan<byte> update, ReadOnlySpan<byte> token)
    {
        if (token.Length > ShortTokenBytes)
        {
            WriteLong(responses, update, token);
            return;
        }

        Span<byte> tail = stackalloc byte[MaxHeadBytes + ShortTokenBytes];
        Write(responses, update, token, tail);
    }

    private static void WriteLong(ResponseStream responses, ReadOnlySpan<byte> update, ReadOnlySpan<byte> token)
    {
        byte[] tail = ArrayPool<byte>.Shared.Rent(MaxHeadBytes + token.Length);
        Write(responses, update, token, tail);
        ArrayPool<byte>.Shared.Return(tail);
    }

    private static void Write(
        ResponseStream responses, ReadOnlySpan<byte> update, ReadOnlySpan<byte> token, Span<byte> tail)
    {
        int tailBytes = WriteHead(tail, TokenTag, token.Length);
        token.CopyTo(tail[tailBytes..]);
        tailBytes += token.Length;
        Span<byte> head = stackalloc byte[MaxHeadBytes];
        int headBytes = WriteHead(head, UpdateTag, update.Length + tailBytes);
        responses.Write(head[..headBytes], update, tail[..tailBytes]);
    }

    private static int WriteHead(Span<byte> target, byte tag, int length)
    {
        target[0] = tag;
        int at = 1;
        uint rest = (uint)length;
        while (rest > 0x7f)
        {
            target[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        target[at++] = (byte)rest;
        return at;
    }
}
