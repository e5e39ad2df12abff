// Colours and blur of one image, in place, for random structure perturbation. As libtorch's operators an image takes some fifty small
// calls, most of whose time is not arithmetic; here it stays in the cache as three planes and each change is a pass over them.
// The arithmetic is torchvision's (version 0.15, functional_tensor.py), in [0, 1]; images come and go in [-1, 1].
#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace topofr {
namespace {

enum class Adjustment : int64_t { kBrightness, kContrast, kSaturation, kHue };

// An image [1, 3, h, w] of any strides as three planes in [0, 1], and back.
class Planes {
 public:
  explicit Planes(const at::Tensor& image) : image_(image), height_(image.size(2)), width_(image.size(3)) {
    TORCH_CHECK(image.dim() == 4 && image.size(0) == 1 && image.size(1) == 3 && image.scalar_type() == at::kFloat &&
                    image.device().is_cpu(),
                "expected one float32 image [1, 3, h, w] on the CPU, got ", image.sizes(), " ", image.scalar_type(), " on ",
                image.device());
    for (auto& plane : values) plane.resize(size());
    eachPixel([](float& pixel, float& value) { value = pixel * 0.5f + 0.5f; });
  }

  void store() {
    eachPixel([](float& pixel, float& value) { pixel = (value - 0.5f) / 0.5f; });
  }

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t size() const { return height_ * width_; }

  std::array<std::vector<float>, 3> values;

 private:
  template <typename Change>
  void eachPixel(Change&& change) {
    for (int64_t channel = 0; channel < 3; ++channel)
      for (int64_t y = 0; y < height_; ++y) {
        float* row = image_.data_ptr<float>() + channel * image_.stride(1) + y * image_.stride(2);
        float* value = values[channel].data() + y * width_;
        int64_t width = width_, stride = image_.stride(3);
        if (stride == 1)
          for (int64_t x = 0; x < width; ++x) change(row[x], value[x]);
        else
          for (int64_t x = 0; x < width; ++x) change(row[x * stride], value[x]);
      }
  }

  at::Tensor image_;
  int64_t height_, width_;
};

inline float unit(float value) { return std::min(std::max(value, 0.0f), 1.0f); }

// ITU-R 601-2, torchvision's digits.
inline float luminance(float red, float green, float blue) { return 0.2989f * red + 0.587f * green + 0.114f * blue; }

// Turns the hue of a pixel by `shift` of the circle in HSV.
inline void turnHue(float& red, float& green, float& blue, float shift) {
  float value = std::max(std::max(red, green), blue), range = value - std::min(std::min(red, green), blue);
  float divisor = range == 0 ? 1 : range;
  float saturation = range / (range == 0 ? 1 : value);
  float toRed = (value - red) / divisor, toGreen = (value - green) / divisor, toBlue = (value - blue) / divisor;
  float sector = value == red ? toBlue - toGreen : value == green ? toRed - toBlue + 2 : toGreen - toRed + 4;
  float turned = sector / 6 + (1 + shift);
  float hue = turned - std::floor(turned);
  auto channel = [&](float offset) {
    float place = hue * 6 + offset;
    float k = place - std::floor(place / 6) * 6;
    return value - value * saturation * unit(std::min(k, 4 - k));
  };
  red = channel(5), green = channel(3), blue = channel(1);
}

void adjust(Planes& image, Adjustment adjustment, float amount) {
  float *red = image.values[0].data(), *green = image.values[1].data(), *blue = image.values[2].data();
  int64_t size = image.size();
  float rest = 1 - amount;
  switch (adjustment) {
    case Adjustment::kBrightness:
      for (auto& plane : image.values)
        for (float& value : plane) value = unit(value * amount);
      break;
    case Adjustment::kContrast: {
      double sum = 0;
      for (int64_t i = 0; i < size; ++i) sum += luminance(red[i], green[i], blue[i]);
      float mean = static_cast<float>(sum / size) * rest;
      for (auto& plane : image.values)
        for (float& value : plane) value = unit(value * amount + mean);
      break;
    }
    case Adjustment::kSaturation:
      for (int64_t i = 0; i < size; ++i) {
        float grey = luminance(red[i], green[i], blue[i]) * rest;
        red[i] = unit(red[i] * amount + grey);
        green[i] = unit(green[i] * amount + grey);
        blue[i] = unit(blue[i] * amount + grey);
      }
      break;
    case Adjustment::kHue:
      for (int64_t i = 0; i < size; ++i) turnHue(red[i], green[i], blue[i], amount);
      break;
    default:
      TORCH_CHECK(false, "no colour adjustment ", static_cast<int64_t>(adjustment));
  }
}

at::Tensor& adjustColors(at::Tensor& image, at::IntArrayRef adjustments, at::ArrayRef<double> amounts) {
  TORCH_CHECK(adjustments.size() == amounts.size(), adjustments.size(), " colour adjustments have ", amounts.size(), " amounts");
  Planes planes(image);
  for (size_t i = 0; i < adjustments.size(); ++i)
    adjust(planes, static_cast<Adjustment>(adjustments[i]), static_cast<float>(amounts[i]));
  planes.store();
  return image;
}

// Separable, borders reflected. Both kernels are of odd length and reach less far than the image.
at::Tensor& blurSeparably(at::Tensor& image, at::ArrayRef<double> row, at::ArrayRef<double> column) {
  Planes planes(image);
  int64_t height = planes.height(), width = planes.width();
  int64_t left = row.size() / 2, above = column.size() / 2;
  TORCH_CHECK(row.size() % 2 == 1 && column.size() % 2 == 1 && left < width && above < height, "a blur of ", column.size(), " x ",
              row.size(), " taps does not fit an image of ", height, " x ", width);
  auto reflected = [](int64_t i, int64_t size) { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; };
  std::vector<float> padded(width + 2 * left), across(height * width);
  for (auto& plane : planes.values) {
    for (int64_t y = 0; y < height; ++y) {
      const float* from = plane.data() + y * width;
      for (int64_t x = -left; x < width + left; ++x) padded[x + left] = from[reflected(x, width)];
      float* to = across.data() + y * width;
      std::fill_n(to, width, 0.0f);
      for (size_t tap = 0; tap < row.size(); ++tap) {
        float weight = static_cast<float>(row[tap]);
        for (int64_t x = 0; x < width; ++x) to[x] += weight * padded[x + tap];
      }
    }
    std::fill(plane.begin(), plane.end(), 0.0f);
    for (int64_t y = 0; y < height; ++y)
      for (size_t tap = 0; tap < column.size(); ++tap) {
        const float* from = across.data() + reflected(y + static_cast<int64_t>(tap) - above, height) * width;
        float* to = plane.data() + y * width;
        float weight = static_cast<float>(column[tap]);
        for (int64_t x = 0; x < width; ++x) to[x] += weight * from[x];
      }
  }
  planes.store();
  return image;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(topofr, library) {
  library.def("adjust_colors_(Tensor(a!) image, int[] adjustments, float[] amounts) -> Tensor(a!)", &adjustColors);
  library.def("blur_(Tensor(a!) image, float[] row, float[] column) -> Tensor(a!)", &blurSeparably);
}

}  // namespace topofr
