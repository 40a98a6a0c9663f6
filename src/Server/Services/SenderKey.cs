using System.Security.Cryptography;
using System.Text;
using Ingest.Server.Grpc;

namespace Ingest.Server.Services;

/// <summary>Tells senders apart, so that each gets its share: by API key, else producer, else address.</summary>
internal static class SenderKey
{
    private const string Scheme = "Bearer ";
    private const int HashBytes = 8;

    /// <summary>The key of a call's sender. Of an API key only a hash is kept.</summary>
    public static string Of(CallContext call, string producerId = "")
    {
        if (call.FindRequestHeader("authorization") is { } value
            && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(value[Scheme.Length..].Trim()));
            return $"key {Convert.ToHexStringLower(hash.AsSpan(0, HashBytes))}";
        }

        return producerId.Length > 0 ? $"producer {producerId}" : $"peer {WithoutPort(call.Peer)}";
    }

    // Connections of one address are one sender's, whatever ports they come from.
    private static string WithoutPort(string peer) => peer.LastIndexOf(':') is > 0 and var colon ? peer[..colon] : peer;
}
