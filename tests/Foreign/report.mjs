// Runs named cases one after the other and prints one JSON line for each; the tests read them.

export async function run(cases) {
  for (const [name, body] of Object.entries(cases)) {
    let error = null;
    let timer;
    try {
      const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('not done within 20 s')), 20_000);
      });
      await Promise.race([body(), limit]);
    } catch (caught) {
      error = caught.stack ?? String(caught);
    }
    clearTimeout(timer);
    console.log(JSON.stringify({ case: name, error }));
  }
}
