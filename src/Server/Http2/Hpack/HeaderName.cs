using System.Buffers;
using System.Text;

namespace Ingest.Server.Http2.Hpack;

/// <summary>The name of a header field, made once for each known name.</summary>
internal sealed class HeaderName
{
    // RFC 9110, 5.6.2: a token; RFC 9113, 8.2.1: in lower case.
    private static readonly SearchValues<byte> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Makes the name of what a client sent, valid or not.</summary>
    public HeaderName(ReadOnlySpan<byte> name)
    {
        Text = Encoding.Latin1.GetString(name);
        IsPseudo = !name.IsEmpty && name[0] == (byte)':';
        IsValid = !name.IsEmpty && !name.ContainsAnyExcept(s_token);
    }

    /// <summary>Makes a known name.</summary>
    /// <param name="text">The name in the casing of <c>HeaderNames</c>.</param>
    /// <param name="id">What the transport knows it by.</param>
    /// <param name="repeats">Whether its values are the same from call to call.</param>
    public HeaderName(string text, HeaderId id, bool repeats)
    {
        Text = text;
        Id = id;
        Repeats = repeats;
        IsPseudo = text[0] == ':';
        IsValid = !IsPseudo || id is HeaderId.Authority or HeaderId.Method or HeaderId.Path or HeaderId.Scheme;
    }

    /// <summary>
    /// The name as the application's header dictionary has it: a known one in the casing, and as the very string, of
    /// <c>HeaderNames</c>; others as they came.
    /// </summary>
    public string Text { get; }

    /// <summary>Which known name it is; <see cref="HeaderId.Other"/> for the rest.</summary>
    public HeaderId Id { get; }

    /// <summary>Whether it begins with a colon, known or not.</summary>
    public bool IsPseudo { get; }

    /// <summary>Whether it is a token in lower case, or a pseudo-header that requests have.</summary>
    public bool IsValid { get; }

    /// <summary>Whether its values are the same from call to call, and none is a secret.</summary>
    public bool Repeats { get; }
}
