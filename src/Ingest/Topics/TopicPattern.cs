namespace Ingest.Topics;

/// <summary>
/// Which topics are meant: tokens separated by dots, <c>*</c> for one token, <c>&gt;</c> at the end for the rest.
/// </summary>
internal sealed class TopicPattern
{
    /// <summary>Longest name of a topic in characters.</summary>
    public const int MaxNameLength = 200;

    private readonly string _text;
    private readonly string[] _tokens;
    private readonly bool _isOpen;

    private TopicPattern(string text, string[] tokens, bool isOpen) =>
        (_text, _tokens, _isOpen) = (text, tokens, isOpen);

    /// <summary>Whether it means one topic.</summary>
    public bool IsLiteral => !_isOpen && !_tokens.Contains("*");

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="field">Path of the field that it stands in.</param>
    /// <exception cref="TopicException">It is none.</exception>
    public static TopicPattern Parse(string text, string field)
    {
        if (text.Length is 0 or > MaxNameLength)
        {
            throw new TopicException(
                field, $"A topic has 1 to {MaxNameLength} characters, this one has {text.Length}.");
        }

        string[] tokens = text.Split('.');
        for (int i = 0; i < tokens.Length; i++)
        {
            bool isLast = i == tokens.Length - 1;
            if (tokens[i] is not "*" && !(tokens[i] is ">" && isLast) && !IsToken(tokens[i]))
            {
                throw new TopicException(
                    field,
                    $"'{text}' is no topic: tokens of letters, digits, - and _ separated by dots are, with * for one "
                    + "token and > at the end for the rest.");
            }
        }

        bool isOpen = tokens[^1] is ">";
        return new TopicPattern(text, isOpen ? tokens[..^1] : tokens, isOpen);
    }

    /// <summary>Whether a name is that of a topic, without wildcards.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= MaxNameLength && name.Split('.').All(IsToken);

    /// <summary>Whether it means the topic.</summary>
    public bool Matches(string topic)
    {
        if (IsLiteral)
        {
            return topic == _text;
        }

        string[] tokens = topic.Split('.');
        if (_isOpen ? tokens.Length <= _tokens.Length : tokens.Length != _tokens.Length)
        {
            return false;
        }

        for (int i = 0; i < _tokens.Length; i++)
        {
            if (_tokens[i] is not "*" && _tokens[i] != tokens[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    private static bool IsToken(string token) =>
        token.Length > 0 && token.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
