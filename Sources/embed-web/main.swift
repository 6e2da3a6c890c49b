import Foundation

// embed-web FOLDER OUTPUT: the files of a folder, all of them text, as a Swift source.

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: embed-web FOLDER OUTPUT\n".utf8))
  exit(2)
}
do {
  let folder = URL(fileURLWithPath: arguments[1]).standardizedFileURL
  let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
  let files = (found?.allObjects as? [URL] ?? []).map(\.standardizedFileURL)
    .filter { !$0.hasDirectoryPath && !$0.lastPathComponent.hasPrefix(".") }
  var source =
    "// Made of Sources/Serving/Web by embed-web.\n\nlet webFiles: [(path: String, text: String)] = [\n"
  for file in files.sorted(by: { $0.path < $1.path }) {
    let text = try String(contentsOf: file, encoding: .utf8)
    let path = file.path.dropFirst(folder.path.count)
    // Enough marks that nothing in the text ends the literal.
    var marks = "#"
    while text.contains("\"\"\"" + marks) || text.contains("\\" + marks) { marks += "#" }
    source += "  (#\"\(path)\"#, \(marks)\"\"\"\n\(text)\n\"\"\"\(marks)),\n"
  }
  try Data((source + "]\n").utf8).write(to: URL(fileURLWithPath: arguments[2]))
} catch {
  FileHandle.standardError.write(Data("embed-web: \(error)\n".utf8))
  exit(1)
}
