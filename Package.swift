// swift-tools-version: 6.2
import PackageDescription

// Every target: warnings are errors, existentials are spelled out.
let house: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]
// Numeric code is optimised in debug builds too: unoptimised, a test that trains would take minutes.
let optimised = house + [.unsafeFlags(["-O"])]
// AVX2 and FMA by the trait NativeCPU (on by default): `swift build --disable-default-traits` is
// the portable build.
// The compiler's own module names the instructions that multiply bytes; there is no C in the package.
let kernels =
  optimised + [
    .enableExperimentalFeature("BuiltinModule"),
    .unsafeFlags(["-Xcc", "-march=x86-64-v3"], .when(platforms: [.linux], traits: ["NativeCPU"])),
  ]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "lyceum",
  platforms: [.macOS("26.0")],
  products: [
    .executable(name: "lyceum", targets: ["lyceum"]),
    .library(name: "Tokenization", targets: ["Tokenization"]),
    .library(name: "TensorCore", targets: ["TensorCore"]),
    .library(name: "LanguageModel", targets: ["LanguageModel"]),
    .library(name: "Generation", targets: ["Generation"]),
  ],
  traits: [
    .trait(name: "NativeCPU", description: "Compile the kernels for x86-64-v3 (AVX2, FMA)."),
    .default(enabledTraits: ["NativeCPU"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
      traits: ["FullFoundation"]),
    // What Hummingbird is made of, and the server uses by name.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .executableTarget(
      name: "lyceum", dependencies: ["Commands", argumentParser], swiftSettings: house),
    .target(
      name: "Commands",
      dependencies: [
        "Serving", "Claims", "Training", "Generation", "Environments", "Tools", "ModelFiles",
        "LanguageModel", "Corpus", "Tokenization", "TemplateLanguage", "TensorCore",
        "TensorKernels", argumentParser,
      ], swiftSettings: house),
    .target(
      name: "Serving",
      dependencies: [
        "Training", "Generation", "ModelFiles", "LanguageModel", "Tokenization", "TemplateLanguage",
        "TensorCore", "TensorKernels",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
      ], exclude: ["Web"], swiftSettings: house, plugins: ["EmbedWeb"]),
    // The pages are compiled into the binary.
    .plugin(name: "EmbedWeb", capability: .buildTool(), dependencies: ["embed-web"]),
    .executableTarget(name: "embed-web", swiftSettings: house),
    .target(
      name: "Claims",
      dependencies: [
        "Training", "Generation", "Environments", "Tools", "ModelFiles", "LanguageModel", "Corpus",
        "Tokenization", "TensorCore",
      ], swiftSettings: house),
    .target(
      name: "Training",
      dependencies: [
        "Generation", "Environments", "Corpus", "ModelFiles", "LanguageModel", "TensorCore",
        "TensorKernels", "Tokenization", "TemplateLanguage",
      ], swiftSettings: optimised),
    .target(
      name: "Generation",
      dependencies: ["LanguageModel", "TensorCore", "TensorKernels", "Tokenization", "Tools"],
      swiftSettings: optimised),
    .target(name: "Environments", dependencies: ["Tools"], swiftSettings: optimised),
    .target(
      name: "Tools", dependencies: [.product(name: "BigInt", package: "BigInt")],
      swiftSettings: house),
    .target(name: "Corpus", dependencies: ["Tokenization"], swiftSettings: optimised),
    .target(name: "ModelFiles", swiftSettings: optimised),
    .target(
      name: "LanguageModel", dependencies: ["TensorCore", "TensorKernels"], swiftSettings: optimised
    ),
    .target(
      name: "Tokenization", dependencies: ["TemplateLanguage"], swiftSettings: optimised),
    .target(name: "TemplateLanguage", swiftSettings: optimised),
    .target(name: "TensorCore", dependencies: ["TensorKernels"], swiftSettings: optimised),
    .target(name: "TensorKernels", dependencies: ["SIMDMath"], swiftSettings: kernels),
    .target(name: "SIMDMath", swiftSettings: kernels),

    .target(
      name: "TestSupport", dependencies: ["TensorKernels"], path: "Tests/TestSupport",
      swiftSettings: optimised),
    .executableTarget(
      name: "tour-rehearsal", dependencies: ["Commands", "Claims", "Training", argumentParser],
      path: "Tests/TourRehearsal", swiftSettings: house),
    .testTarget(
      name: "TensorKernelsTests", dependencies: ["TensorKernels", "TestSupport"],
      swiftSettings: house),
    .testTarget(
      name: "TensorCoreTests", dependencies: ["TensorCore", "TensorKernels", "TestSupport"],
      swiftSettings: house),
    .testTarget(
      name: "TokenizationTests", dependencies: ["Tokenization", "TemplateLanguage"],
      swiftSettings: house),
    .testTarget(
      name: "TemplateLanguageTests", dependencies: ["TemplateLanguage"], swiftSettings: house),
    .testTarget(
      name: "CorpusTests", dependencies: ["Corpus", "Tokenization"], swiftSettings: house),
    .testTarget(
      name: "EnvironmentsTests", dependencies: ["Environments", "Tools"], swiftSettings: house),
    .testTarget(name: "ToolsTests", dependencies: ["Tools"], swiftSettings: house),
    .testTarget(
      name: "ModelFilesTests", dependencies: ["ModelFiles", "TestSupport"], swiftSettings: optimised
    ),
    .testTarget(
      name: "LanguageModelTests",
      dependencies: ["LanguageModel", "TensorCore", "TensorKernels", "TestSupport"],
      swiftSettings: optimised),
    .testTarget(
      name: "GenerationTests",
      dependencies: [
        "Generation", "LanguageModel", "TensorCore", "TensorKernels", "Tokenization", "Tools",
        "TestSupport",
      ],
      swiftSettings: house),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Generation", "Environments", "Tools", "ModelFiles", "LanguageModel", "Corpus",
        "Tokenization", "TensorCore", "TensorKernels", "TestSupport",
      ], swiftSettings: house),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Serving", "Training", "Generation", "LanguageModel", "Tokenization", "TemplateLanguage",
        "TensorCore", .product(name: "HTTPTypes", package: "swift-http-types"),
      ], swiftSettings: house),
    .testTarget(
      name: "ClaimsTests",
      dependencies: ["Claims", "Environments", "Tokenization", "Training"], swiftSettings: house),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Commands", "Claims", "Training", "ModelFiles", "Tokenization", "Corpus", "Environments",
        // Not imported: the tests start it.
        "tour-rehearsal", argumentParser,
      ],
      swiftSettings: house),
  ],
  swiftLanguageModes: [.v6]
)
