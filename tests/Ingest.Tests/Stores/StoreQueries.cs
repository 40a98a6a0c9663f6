using System.Text;
using Ingest.Stores;

namespace Ingest.Tests.Stores;

/// <summary>Queries of a store as text.</summary>
internal static class StoreQueries
{
    public static async Task<string> TextAsync(this IStore store, string query, QueryLimits? limits = null)
    {
        using var answer = new MemoryStream();
        await foreach (ReadOnlyMemory<byte> piece in store.QueryAsync(query, limits ?? new(), CancellationToken.None))
        {
            answer.Write(piece.Span);
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }

    public static Task<StoreException> FaultAsync(this IStore store, string query, QueryLimits? limits = null) =>
        Assert.ThrowsAsync<StoreException>(() => store.TextAsync(query, limits));
}
