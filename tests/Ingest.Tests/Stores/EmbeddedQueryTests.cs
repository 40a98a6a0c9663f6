using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

[Collection(EngineCollection.Name)]
public sealed class EmbeddedQueryTests(EngineFixture engine)
{

    public static TheoryData<string> Reaching => new()
    {
        "SELECT file('{0}')",
        "SELECT `file`('{0}')",
        "SELECT `fi\\x6ce`('{0}')",
        "SELECT \"file\" /* a comment */ ('{0}')",
        "SELECT * APPLY file FROM (SELECT '{0}')",
        "SELECT * APPLY(file) FROM (SELECT '{0}')",
        "SELECT * APPLY(x -> file(x)) FROM (SELECT '{0}')",
        "SELECT * FROM view(SELECT file('{0}'))",
        "SELECT arrayMap(x -> file(x), ['{0}'])",
        "WITH (SELECT file('{0}')) AS f SELECT f",
        "EXPLAIN SELECT file('{0}')",
        "EXPLAIN QUERY TREE SELECT file('{0}') FORMAT JSON",
        "SELECT b FROM values('a String, b String ALIAS file(a)', ('{0}'))",
        "SELECT b FROM values('a String,\nb String\nALIAS file(a)', ('{0}'))",
        "SELECT b FROM values(concat('a String, b String ALI', 'AS file(a)'), ('{0}'))",
        "SELECT b FROM (SELECT 1) AS x, values('a String, b String aLiAs file(a)', ('{0}')) AS y",
        "SELECT b FROM generateRandom('a String, b String ALIAS file(\\'{0}\\')') LIMIT 1",
        "SELECT * FROM file('{0}', 'LineAsString')",
        "SELECT 1 IN (SELECT * FROM file('{0}', 'LineAsString'))",
        "DESCRIBE TABLE file('{0}', 'CSVWithNames')",
        "DESC file('{0}', 'CSVWithNames')",
        "DESCRIBE (SELECT * FROM file('{0}', 'CSVWithNames'))",
        "SELECT * FROM `{0}`",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv', 'CSV')",
        "DESCRIBE TABLE url('http://127.0.0.1:1/')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT 1 INTO OUTFILE '{0}.out'",
        "EXPLAIN SELECT 1 INTO OUTFILE '{0}.out'",
        "SHOW TABLES INTO OUTFILE '{0}.out'",
    };

    /// <summary>Ways to reach a file, behind names, texts and comments that a reader pairs up wrongly.</summary>
    public static TheoryData<string> Hidden => new()
    {
        "SELECT 1 AS `'`, file('{0}')",
        "SELECT 1 AS \"'\", file('{0}'), 2 AS \"'\"",
        "SELECT 1 AS `\"`, file('{0}'), 2 AS `\"`",
        "SELECT 1 AS `\\``, file('{0}'), 2 AS `'`",
        "SELECT 1 AS \"``\", file('{0}')",
        "SELECT 1 AS `\\\\`, file('{0}'), 2 AS `\\\\'`",
        "SELECT '\\'', file('{0}'), '\\\\'",
        "SELECT 1 AS `--`, file('{0}') -- `'",
        "SELECT 1 AS `/*`, file('{0}') AS `*/`",
        "SELECT 1 /* ' */, file('{0}') /* ' */",
        "SELECT 1 -- '\n, file('{0}') # '",
        "SELECT $a$'$a$, file('{0}'), $b$'$b$",
        "SELECT $$ ` $$, file('{0}'), $$ ` $$",
        "SELECT file($f${0}$f$)",
        "SELECT FILE('{0}')",
        "SELECT file  \n (  '{0}' )",
        "SELECT `file`  /* ( */ ('{0}') AS `file`",
        "WITH 1 AS `'`, file('{0}') AS f SELECT f, `'`",
        "WITH `'` AS (SELECT file('{0}') AS a) SELECT a FROM `'`",
        "WITH x -> file(x) AS read SELECT read('{0}')",
        "SELECT * FROM (SELECT 1 AS `'`, file('{0}') AS b)",
        "SELECT 1 AS `'` FROM numbers(2) WHERE file('{0}') != ''",
        "SELECT 1 AS `'` UNION ALL SELECT toUInt8(file('{0}'))",
        "SELECT arrayMap(`'` -> file(`'`), ['{0}'])",
        "SELECT arrayMap(`'` -> file(`'`, `'`), ['{0}'])",
        "SELECT 1 AS `'`, COLUMNS('b') APPLY file FROM (SELECT '{0}' AS b)",
        "SELECT * APPLY `file` FROM (SELECT '{0}')",
        "SELECT * APPLY(toString) APPLY(x -> file(x)) FROM (SELECT '{0}')",
        "SELECT 1 AS `APPLY toString`, COLUMNS('x') APPLY file FROM (SELECT '{0}' AS x)",
        "SELECT * REPLACE(file('{0}') AS `'`) FROM (SELECT 1 AS `'`)",
        "SELECT sum(number) OVER (ORDER BY number ROWS BETWEEN length(file('{0}')) PRECEDING AND CURRENT ROW) "
            + "FROM numbers(2)",
        "SELECT 1 AS n, 'x' AS `'` ORDER BY n WITH FILL TO 3 INTERPOLATE (`'` AS file('{0}'))",
        "SELECT 1 LIMIT length(file('{0}'))",
        "SELECT quantile(length(file('{0}')) / 100)(number) AS `'` FROM numbers(3)",
        "SHOW TABLES FROM system WHERE toUInt8(file('{0}')) = 1",
        "SHOW TABLES FROM system WHERE '' != `'` AND toUInt8(file('{0}')) = 1",
        "SHOW COLUMNS FROM one FROM system WHERE toUInt8(file('{0}')) = 1",
        "SHOW TABLES LIMIT length(file('{0}'))",
        "SELECT 1 AS `'`, * FROM file('{0}', 'LineAsString')",
        "SELECT * FROM file('{0}', 'LineAsString') FORMAT Null",
        "SELECT * FROM file('{0}', 'LineAsString') FORMAT `Null`",
        "SELECT file('{0}') FORMAT JSON SETTINGS max_threads = 1",
        "SELECT b FROM values('a String, b String ALIAS file(a)', ('{0}')) AS `t\nExpressionList\nLiteral x`",
        "SELECT b FROM values('a String, b String ALIAS file(a)', ('{0}')) "
            + "AS `t) (children 1)\n ExpressionList\n Literal x`",
        "SELECT b FROM null('a String, b String ALIAS file(\\'{0}\\')')",
        "SELECT b FROM VALUES('a String, b String ALIAS file(a)', ('{0}'))",
        "SELECT * FROM viewIfPermitted(SELECT 1 AS a ELSE values('a UInt8 ALIAS length(file(\\'{0}\\'))'))",
        "SELECT * FROM format(LineAsString, 'a String ALIAS file(\\'{0}\\')', 'x')",
        "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1') PARTITION BY file('{0}')",
        "SELECT 1 AS `'`, (SELECT 1 AS `'` SETTINGS max_threads = 64)",
        "SELECT * FROM (SELECT 1 AS `a\n`, 2 AS `'` SETTINGS max_threads = 64)",
        "EXPLAIN indexes = 1 SELECT (SELECT 1 SETTINGS max_threads = 64)",
        "SELECT * FROM `{0}` FORMAT Null",
        "SELECT 1 IN (`{0}`)",
        "EXISTS TABLE `{0}`",
        "EXISTS TABLE `{0}.nosuch`",
        "SELECT * FROM `{0}.nosuch`",
        "DESCRIBE TABLE `{0}`",
        "SELECT hasColumnInTable('127.0.0.1:1', 'default', '{0}', 'x')",
        "SELECT catboostEvaluate('{0}', 1)",
        "SELECT dictGet('{0}', 'x', 1)",
        "SELECT joinGet('{0}', 'x', 1)",
        "SELECT aiGenerate('x', '{0}')",
        "SELECT * FROM executable('{0}', 'LineAsString', 'x String')",
        "SELECT * FROM input('x String')",
        "SELECT * FROM filesystem('{0}')",
        "SELECT * FROM sqlite('{0}', 'x')",
        "SELECT * FROM cluster('default', system.one)",
        "SELECT * FROM eval('SELECT file(\\'{0}\\')')",
        "SELECT nosuchfunction('{0}')",
    };

    public static TheoryData<string> Writes => new()
    {
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "CREATE FUNCTION f AS (x) -> x",
        "CREATE USER u",
        "DROP DATABASE default",
        "DROP TABLE guarded",
        "TRUNCATE TABLE guarded",
        "ALTER TABLE guarded DELETE WHERE 1",
        "DELETE FROM guarded WHERE 1",
        "OPTIMIZE TABLE guarded FINAL",
        "RENAME TABLE guarded TO x",
        "INSERT INTO guarded (id) VALUES (1)",
        "INSERT INTO guarded (id) SELECT 1",
        "INSERT INTO guarded FROM INFILE '/etc/hostname' FORMAT CSV",
        "INSERT INTO FUNCTION file('x.csv', 'CSV', 'a Int8') VALUES (1)",
        "SET readonly = 0",
        "SET max_memory_usage = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
        "SELECT * FROM (SELECT * FROM numbers(3) SETTINGS readonly = 0)",
        "SELECT (SELECT 1 SETTINGS max_threads = 64)",
        "WITH x AS (SELECT 1 SETTINGS max_threads = 64) SELECT * FROM x",
        "USE system",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "BACKUP DATABASE default TO File('/backup')",
        "SET ROLE NONE",
        "ATTACH TABLE x",
        "GRANT ALL ON *.* TO default",
    };

    [SkippableTheory]
    [MemberData(nameof(Reaching))]
    [MemberData(nameof(Hidden))]
    public async Task What_reaches_out_of_the_tables_is_refused(string query)
    {
        string secret = Path.Combine(engine.Directory, "secret.csv");
        await File.WriteAllTextAsync(secret, "swordfish,x\n1,2\n");
        StoreException fault = await engine.Store.FaultAsync(string.Format(null, query, secret));
        Assert.True(fault.Fault == StoreFault.ReadOnly, fault.Message);
        Assert.DoesNotContain("swordfish", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(secret + ".out"));
    }

    [SkippableTheory]
    [MemberData(nameof(Writes))]
    public async Task A_write_is_refused(string query)
    {
        EmbeddedStore store = engine.Store;
        await store.EnsureTableAsync(SegmentFile.Table("guarded"), default);
        StoreException fault = await store.FaultAsync(query);
        Assert.True(fault.Fault == StoreFault.ReadOnly, fault.Message);
        Assert.Equal("default\t0\n", await store.TextAsync("SELECT currentDatabase(), count() FROM guarded"));
    }

    [SkippableTheory]
    [InlineData("SELECT 1 AS file, 2 AS x WHERE file IN (1)", "1\t2\n")]
    [InlineData("WITH file AS (SELECT 7 AS a) SELECT file.a FROM file", "7\n")]
    [InlineData("SELECT 'file(x); DROP TABLE y'", "file(x); DROP TABLE y\n")]
    [InlineData("SELECT sum(number) FROM numbers(10);", "45\n")]
    [InlineData("SELECT 1 -- a comment", "1\n")]
    [InlineData("SELECT a FROM values('a UInt8, b String', (1, 'x'), (2, 'y')) ORDER BY a", "1\n2\n")]
    [InlineData("SELECT * FROM values((1, 'x'))", "1\tx\n")]
    [InlineData("SELECT 1 AS x FORMAT CSVWithNames", "\"x\"\n1\n")]
    [InlineData("SELECT 1 AS x WHERE 0 FORMAT TSVWithNames", "x\n")]
    [InlineData("SELECT 1 AS settings, 2 AS x WHERE settings = 1", "1\t2\n")]
    [InlineData("(SELECT 1) UNION ALL (SELECT 1)", "1\n1\n")]
    [InlineData(
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x JOIN (SELECT 1 AS a) AS y USING a FORMAT JSONEachRow",
        "{\"a\":1}\n")]
    [InlineData("SELECT 'a\nb\\n'", "a\\nb\\n\n")]
    [InlineData("EXISTS TABLE nosuch", "0\n")]
    [InlineData("SELECT 1 WHERE 0", "")]
    [InlineData("SELECT 1 AS `'`, 'file(x)' AS `file(`", "1\tfile(x)\n")]
    [InlineData("SELECT 'SETTINGS a = 1', 2 AS `SETTINGS b`", "SETTINGS a = 1\t2\n")]
    [InlineData(
        "SELECT sumOrNullIf(number, number > 1), countIf(number > 1), count(DISTINCT number) FROM numbers(4)",
        "5\t2\t4\n")]
    [InlineData(
        "SELECT groupArraySortedIf(2)(number, number > 0), uniqExactArray([number, 7]) FROM numbers(3)",
        "[1,2]\t4\n")]
    [InlineData("SELECT 1 WHERE EXISTS(SELECT 1) AND 1 = ANY (SELECT 1)", "1\n")]
    [InlineData("SELECT CASE WHEN number = 1 THEN 'a' ELSE 'b' END, number::String FROM numbers(1)", "b\t0\n")]
    [InlineData("SELECT * APPLY(sum) APPLY(toString) FROM numbers(4)", "6\n")]
    [InlineData("SELECT row_number() OVER (ORDER BY number DESC) FROM numbers(2)", "1\n2\n")]
    [InlineData(
        "SELECT date_trunc('day', toDateTime('2020-01-02 03:04:05', 'UTC')) + INTERVAL 1 DAY",
        "2020-01-03 00:00:00\n")]
    [InlineData("SELECT format('{} {}', 'a', 'b')", "a b\n")]
    [InlineData("SELECT 1 FORMAT Null", "")]
    [InlineData("SELECT 1 AS `km/h`, `km/h` + 1", "1\t2\n")]
    [InlineData("SHOW TABLES FROM system LIKE 'one'", "one\n")]
    [InlineData("SELECT * FROM (SELECT 1) AS t(a)", "1\n")]
    public async Task Reading_is_let_through(string query, string answer)
    {
        Assert.Equal(answer, await engine.Store.TextAsync(query));
    }

    /// <summary>Fails with a new engine: read what its new functions do, then list them in functions.txt.</summary>
    [SkippableFact]
    public async Task Every_function_of_the_engine_was_looked_at()
    {
        string names = await engine.Store.TextAsync("SELECT name FROM system.functions");
        string[] unknown =
        [
            .. names.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => !KnownFunctions.IsListed(name)),
        ];
        Assert.Equal("", string.Join(' ', unknown));
    }

    [SkippableFact]
    public async Task Every_combinator_of_aggregates_is_known()
    {
        string names = await engine.Store.TextAsync("SELECT name FROM system.aggregate_function_combinators");
        Assert.All(
            names.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            name => Assert.True(KnownFunctions.IsReading("sum" + name), name));
    }

    [SkippableTheory]
    [InlineData("SELEC 1", "Syntax error")]
    [InlineData("", "Empty query")]
    [InlineData("SELECT 1; SELECT 2", "One statement")]
    [InlineData("SELECT 1; DROP TABLE x", "One statement")]
    [InlineData("SELECT * FROM nosuch", "UNKNOWN_TABLE")]
    [InlineData("SELECT 1/", "Syntax error")]
    [InlineData("SELECT throwIf(number = 2000000) FROM numbers(3000000)", "throwIf")]
    public async Task A_wrong_query_is_answered_in_the_engines_words(string query, string words)
    {
        StoreException fault = await engine.Store.FaultAsync(query);
        Assert.Equal(StoreFault.BadQuery, fault.Fault);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("formatQuery", fault.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_default_format_is_the_callers()
    {
        Assert.Equal(
            "{\"x\":1}\n", await engine.Store.TextAsync("SELECT 1 AS x", new() { DefaultFormat = "JSONEachRow" }));
    }

    [SkippableFact]
    public async Task A_json_answer_of_many_blocks_is_one_document()
    {
        string text = await engine.Store.TextAsync("SELECT number FROM numbers(300000) FORMAT JSON");
        using JsonDocument document = JsonDocument.Parse(text);
        Assert.Equal(300_000, document.RootElement.GetProperty("rows").GetInt32());
        Assert.Equal(300_000, document.RootElement.GetProperty("data").GetArrayLength());
    }

    [SkippableTheory]
    [InlineData("CSV", "WithNames")]
    [InlineData("CSV", "WithNamesAndTypes")]
    [InlineData("TabSeparated", "WithNames")]
    [InlineData("JSONCompactEachRow", "WithNamesAndTypes")]
    public async Task A_streamed_answer_has_its_header_once(string format, string header)
    {
        const string Query = "SELECT number AS `a\"b\n,`, toString(number) AS s FROM numbers(200000)";
        string names = await engine.Store.TextAsync($"{Query} WHERE 0 FORMAT {format}{header}");
        string rows = await engine.Store.TextAsync($"{Query} FORMAT {format}");
        Assert.NotEmpty(names);
        Assert.Equal(200_000, rows.Count(c => c == '\n'));
        Assert.Equal(names + rows, await engine.Store.TextAsync($"{Query} FORMAT {format}{header}"));
    }

    [SkippableFact]
    public async Task An_answer_that_is_too_large_for_its_format_is_refused()
    {
        StoreException fault = await engine.Store.FaultAsync(
            "SELECT repeat(toString(number % 10), 1000) AS x FROM numbers(600000) FORMAT JSON");
        Assert.Contains("Limit for result exceeded", fault.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("SELECT number FROM numbers(100000000)", 888_888_890, 0, 100 << 20)]
    [InlineData("SELECT number FROM numbers(8000000) FORMAT JSON", 0, 100 << 20, 1 << 30)] // That one is held shows too.
    public async Task A_large_answer_is_not_held_in_memory_unless_its_format_wants_it(
        string query, long expectedLength, long atLeast, long atMost)
    {
        const int LookedAt = 50; // Each so many pieces.
        long before = await EngineBytesAsync();
        long most = 0;
        long length = 0;
        int pieces = 0;
        await foreach (ReadOnlyMemory<byte> piece in engine.Store.QueryAsync(query, new(), CancellationToken.None))
        {
            length += piece.Length;
            if (pieces++ % LookedAt == 0)
            {
                most = Math.Max(most, await EngineBytesAsync());
            }
        }

        Assert.True(expectedLength == 0 || length == expectedLength, $"{length} bytes");
        Assert.True(
            most - before >= atLeast && most - before < atMost, $"{(most - before) >> 20} MiB more while it ran");
    }

    [SkippableTheory]
    [InlineData("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")]
    [InlineData("SELECT number FROM numbers(1000000000000) WHERE sipHash64(number) = 1")]
    [InlineData("SELECT sum(sipHash64(number)) AS s FROM numbers(1000000000000) FORMAT JSON")]
    public async Task A_cancelled_query_ends_in_the_engine(string query)
    {
        EmbeddedStore store = engine.Store;
        using var left = new CancellationTokenSource();
        Task<string> running = Task.Run(async () =>
        {
            await foreach (ReadOnlyMemory<byte> _ in store.QueryAsync(query, new(), left.Token))
            {
            }

            return "";
        });
        await WaitForAsync(async () => await RunningAsync(store) == 1);
        var watch = Stopwatch.StartNew();
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
        Assert.Equal(0, await RunningAsync(store));
    }

    [SkippableFact]
    public async Task Limits_hold()
    {
        StoreException time = await engine.Store.FaultAsync(
            "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)",
            new() { MaxDuration = TimeSpan.FromSeconds(1) });
        Assert.Contains("TIMEOUT_EXCEEDED", time.Message, StringComparison.Ordinal);
        StoreException memory = await engine.Store.FaultAsync(
            "SELECT uniqExact(number) FROM numbers(100000000)", new() { MaxMemoryBytes = 50 << 20 });
        Assert.Contains("MEMORY_LIMIT_EXCEEDED", memory.Message, StringComparison.Ordinal);
        Assert.Equal("3\n", await engine.Store.TextAsync("SELECT getSetting('max_threads')", new() { MaxThreads = 3 }));
    }

    [SkippableFact]
    public async Task A_reader_that_stops_early_leaves_the_thread_to_the_next()
    {
        EmbeddedStore store = engine.Store;
        for (int i = 0; i < 2 * new StoreOptions().MaxConcurrentQueries; i++)
        {
            await foreach (ReadOnlyMemory<byte> _ in store.QueryAsync(
                "SELECT number FROM numbers(1000000000)", new(), CancellationToken.None))
            {
                break;
            }
        }

        Assert.Equal("1\n", await store.TextAsync("SELECT 1"));
    }

    private static async Task<int> RunningAsync(EmbeddedStore store) => int.Parse(
        await store.TextAsync("SELECT count() - 1 FROM system.processes WHERE query LIKE '%numbers(1000000000000)%'"),
        null);

    private static async Task WaitForAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    // What the engine itself counts; other tests of the process have memory of their own.
    private async Task<long> EngineBytesAsync() => long.Parse(
        await engine.Store.TextAsync("SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'"),
        CultureInfo.InvariantCulture);
}
