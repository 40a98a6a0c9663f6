using System.Globalization;

namespace Ingest.StandIns;

/// <summary>Which of the next requests meet which fault.</summary>
/// <remarks>Safe for use by several threads at once.</remarks>
internal sealed class FaultPlan
{
    private const string AnyPrefix = "any-";
    private const int CutBytes = 1000;
    private const int LateMilliseconds = 300;

    private static readonly string[] s_ofInserts =
        ["fail", "refuse", "hang", "silent", "afterwards", "close", "reset", "short", "", "", "", ""];

    private static readonly string[] s_ofStatements = ["fail", "hang", "close", "", "", "", ""];

    private readonly Lock _lock = new();
    private readonly Random _random = new();
    private string _name = "";
    private bool _any;
    private int _left;
    private int _number;
    private int _cut;

    /// <summary>Takes a command: <c>[any-]FAULT TIMES [NUMBER]</c>.</summary>
    public void Set(string command)
    {
        string[] words = command.Split(' ');
        lock (_lock)
        {
            _any = words[0].StartsWith(AnyPrefix, StringComparison.Ordinal);
            _name = _any ? words[0][AnyPrefix.Length..] : words[0];
            _left = int.Parse(words[1], CultureInfo.InvariantCulture);
            _number = words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : 0;
            _cut = 0;
        }
    }

    /// <summary>The fault of a request, which is then done with.</summary>
    public Fault Take(StandInRequest request)
    {
        lock (_lock)
        {
            if (_left == 0 || !(_any || request.IsInsert))
            {
                return Fault.None;
            }

            _left--;
            int length = request.Length;
            switch (_name)
            {
                case "cut":
                    _cut = _cut + CutBytes > length ? 0 : _cut + CutBytes;
                    return new Fault("close", _cut);
                case "random":
                    string[] names = request.IsInsert ? s_ofInserts : s_ofStatements;
                    string name = names[_random.Next(names.Length)];
                    return new Fault(name, _random.Next(name == "afterwards" ? LateMilliseconds : length + 1));
                default:
                    return new Fault(_name, _number);
            }
        }
    }
}
