using Microsoft.Playwright;

namespace Ingest.Server.Tests.Realtime;

/// <summary>Debian's Chromium, driven by Playwright.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] s_places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

    private static readonly string? s_executable =
        Environment.GetEnvironmentVariable("INGEST_CHROMIUM") ?? s_places.FirstOrDefault(File.Exists);

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (s_executable is null)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = s_executable,

            // Root has no sandbox, and containers little shared memory.
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
        });
    }

    /// <summary>Opens a page; the test is skipped where there is no Chromium.</summary>
    public async Task<IPage> OpenAsync(string address)
    {
        Skip.If(_browser is null, "Chromium is not installed: apt-get install chromium, or set INGEST_CHROMIUM");
        IPage page = await _browser!.NewPageAsync();
        await page.GotoAsync(address);
        return page;
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}
