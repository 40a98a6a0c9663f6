using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Ingest.Server.Realtime;

/// <summary>permessage-deflate (RFC 7692) as a client offers it and we take it.</summary>
/// <param name="ServerWindowBits">
/// The client's window: no distance in what we send may be longer than 2 to the power of it.
/// </param>
/// <param name="NamesServerWindow">Whether the client asked for that window, so that the answer has to name it.</param>
/// <remarks>
/// Neither side keeps its window from one message to the next: an idle connection holds no zlib state, and a message
/// that was compressed once is right for every connection.
/// </remarks>
internal readonly record struct DeflateOffer(int ServerWindowBits, bool NamesServerWindow)
{
    private const string Name = "permessage-deflate";
    private const int MaxWindowBits = 15;

    /// <summary>What the answer says in <c>Sec-WebSocket-Extensions</c>.</summary>
    public string Answer => $"{Name}; server_no_context_takeover; client_no_context_takeover"
        + (NamesServerWindow
            ? string.Create(CultureInfo.InvariantCulture, $"; server_max_window_bits={ServerWindowBits}")
            : "");

    /// <summary>Finds the first offer that can be taken.</summary>
    public static bool TryChoose(StringValues extensions, out DeflateOffer chosen)
    {
        foreach (string? header in extensions)
        {
            foreach (string offer in (header ?? "").Split(','))
            {
                if (TryParse(offer, out chosen))
                {
                    return true;
                }
            }
        }

        chosen = default;
        return false;
    }

    // An offer with a parameter that is unknown, wrong or there twice is declined as a whole; so says the RFC.
    private static bool TryParse(string offer, out DeflateOffer parsed)
    {
        parsed = new DeflateOffer(MaxWindowBits, false);
        string[] parts = offer.Split(';', StringSplitOptions.TrimEntries);
        if (parts[0] != Name)
        {
            return false;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string part in parts.AsSpan(1))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            string? value = pair.Length == 2 ? pair[1].Trim('"') : null;
            if (!seen.Add(pair[0]))
            {
                return false;
            }

            switch (pair[0])
            {
                case "server_no_context_takeover" or "client_no_context_takeover" when value is null:
                case "client_max_window_bits" when value is null || TryBits(value, out _):
                    break;
                case "server_max_window_bits" when TryBits(value, out int bits):
                    parsed = new DeflateOffer(bits, true);
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryBits(string? value, out int bits) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out bits)
        && bits is >= 8 and <= MaxWindowBits;
}
