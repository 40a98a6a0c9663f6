using System.Globalization;
using System.Text.RegularExpressions;

namespace Ingest.Stores;

/// <summary>Sorts ClickHouse's messages, which begin with <c>Code: N. DB::Exception:</c>, into faults.</summary>
/// <remarks>
/// The numbers are those of ClickHouse's <c>ErrorCodes.cpp</c>; they never change their meaning. Servers before 20
/// write <c>Code: N,</c>.
/// </remarks>
internal static partial class EngineError
{
    /// <summary>The text has a syntax error.</summary>
    public const int SyntaxError = 62;

    private const int AttemptToReadAfterEof = 32;
    private const int CannotReadAllData = 33;
    private const int ReadOnly = 164;
    private const int AccessDenied = 497;

    /// <summary>Codes that say that the bytes themselves are wrong: the same bytes will be refused again.</summary>
    private static readonly HashSet<int> s_badData =
    [
        6,   // CANNOT_PARSE_TEXT
        7,   // INCORRECT_NUMBER_OF_COLUMNS
        9,   // SIZES_OF_COLUMNS_DOESNT_MATCH
        20,  // NUMBER_OF_COLUMNS_DOESNT_MATCH
        26,  // CANNOT_PARSE_QUOTED_STRING
        27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
        AttemptToReadAfterEof,
        CannotReadAllData,
        38,  // CANNOT_PARSE_DATE
        41,  // CANNOT_PARSE_DATETIME
        44,  // ILLEGAL_COLUMN
        50,  // UNKNOWN_TYPE
        53,  // TYPE_MISMATCH
        69,  // ARGUMENT_OUT_OF_BOUND
        70,  // CANNOT_CONVERT_TYPE
        72,  // CANNOT_PARSE_NUMBER
        117, // INCORRECT_DATA
        128, // TOO_LARGE_ARRAY_SIZE
        131, // TOO_LARGE_STRING_SIZE
        190, // SIZES_OF_ARRAYS_DONT_MATCH
        246, // CORRUPTED_DATA
        261, // UNKNOWN_BLOCK_INFO_FIELD
        321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        407, // DECIMAL_OVERFLOW
        432, // UNKNOWN_CODEC
        469, // VIOLATED_CONSTRAINT
        691, // UNKNOWN_ELEMENT_OF_ENUM
    ];

    /// <summary>Codes that say that the engine cannot now, whatever the statement.</summary>
    private static readonly HashSet<int> s_unavailable =
    [
        74,  // CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  // CANNOT_WRITE_TO_FILE_DESCRIPTOR
        76,  // CANNOT_OPEN_FILE
        202, // TOO_MANY_SIMULTANEOUS_QUERIES
        209, // SOCKET_TIMEOUT
        210, // NETWORK_ERROR
        225, // NO_ZOOKEEPER
        236, // ABORTED
        242, // TABLE_IS_READ_ONLY: the replica has lost its Keeper
        243, // NOT_ENOUGH_SPACE
        252, // TOO_MANY_PARTS
        279, // ALL_CONNECTION_TRIES_FAILED
        439, // CANNOT_SCHEDULE_TASK
        999, // KEEPER_EXCEPTION
    ];

    /// <summary>The exception for a query or a definition that failed.</summary>
    public static StoreException OfQuery(string message)
    {
        int code = Code(message);
        return new StoreException(message.TrimEnd(), code switch
        {
            ReadOnly or AccessDenied => StoreFault.ReadOnly,
            _ when s_unavailable.Contains(code) => StoreFault.Unavailable,
            _ => StoreFault.BadQuery,
        });
    }

    /// <summary>
    /// The exception for an insert that failed. What is not known to be the data's fault is worth another try.
    /// </summary>
    public static StoreException OfInsert(string message) => new(
        message.TrimEnd(), s_badData.Contains(Code(message)) ? StoreFault.BadData : StoreFault.Unavailable);

    /// <summary>Whether the engine says that the data ended too early, for which the way to it may be to blame.</summary>
    public static bool IsCutShort(string message) => Code(message) is AttemptToReadAfterEof or CannotReadAllData;

    /// <summary>The number at the message's beginning, or 0.</summary>
    public static int Code(string message)
    {
        Match match = CodePattern().Match(message);
        return match.Success ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"\bCode: (\d{1,6})[.,]")]
    private static partial Regex CodePattern();
}
