import ArgumentParser

/// The command line: one verb a file.
@main
struct WherryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wherry",
    abstract: "Converts trained models between formats and runs them on small machines.",
    discussion: """
      Formats are recognized by content, then by file name ending; --from and --to overrule. A dash \
      stands for standard input or output. Exit codes: 0 done, 1 a comparison or gate failed, 64 wrong \
      usage, 65 bad input data, 66 no such input, 70 a bug in wherry, 73 the output can't be written.
      """,
    version: "0.1.0",
    subcommands: [
      ConvertCommand.self, InspectCommand.self, CheckCommand.self, RunCommand.self,
      CompareCommand.self, QuantizeCommand.self, OptimizeCommand.self, BenchCommand.self,
      VerifyCommand.self, PatchCommand.self,
    ])
}
